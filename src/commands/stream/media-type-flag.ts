import {
  DEFAULT_MEDIA_TYPE,
  JSON_MEDIA_TYPE,
  parseMediaType,
} from "../../protocol/durable-streams/media-type.ts";
import { ChanctlError } from "../../shared/errors.ts";

const SHORT_NAMES: Readonly<Record<string, string>> = {
  json: JSON_MEDIA_TYPE,
  text: "text/plain",
  bytes: DEFAULT_MEDIA_TYPE,
};

/**
 * The media type that `--type` names: `json`, `text`, `bytes` or any in full.
 *
 * @throws {ChanctlError} `usage` if it is none.
 */
export function parseTypeFlag(text: string): string {
  const mediaType = SHORT_NAMES[text] ?? parseMediaType(text);
  if (mediaType !== undefined) return mediaType;
  throw new ChanctlError(
    "usage",
    `\`--type\` must be json, text, bytes or a media type such as \`image/png\`, got \`${text}\``,
    { hint: "--type json" },
  );
}
