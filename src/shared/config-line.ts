import { clip } from "./clip.ts";

interface ConfigLine {
  /** A list among the settings: `allowedHosts`. */
  readonly key: string;
  /** What is to be in the list. */
  readonly item: string;
  /** The file's name. @default "chanctl.config.ts" */
  readonly file?: string | undefined;
}

/** The line of a config that puts an item into a list, in the file's syntax, and in which file it belongs. */
export function configLine({ key, item, file = "chanctl.config.ts" }: ConfigLine): string {
  const list = `[${JSON.stringify(clip(item))}]`;
  const line = file.endsWith(".json") ? `${JSON.stringify(key)}: ${list}` : `${key}: ${list},`;
  return `${line}     in ${file}`;
}
