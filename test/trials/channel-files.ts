import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { channelText } from "../support/channel-text.ts";
import type { Choices } from "../support/choices.ts";

/** What a definition file of the trial says; `max` alone may change without anybody losing a connection. */
interface DefinitionDraft {
  readonly transport: "ws" | "sse";
  readonly hasRoom: boolean;
  readonly isPublic: boolean;
  readonly max: number;
  /** Whether `max` comes from `_shared.ts`. */
  readonly importsShared: boolean;
}

/** The channels that are edited. */
export const NAMES = ["news", "jobs", "board", "game/moves", "game/score"] as const;
export const SHARED = "channels/_shared.ts";
export const EXTENSIONS = ["ts", "js", "mjs", "json"] as const;

/** A definition that says anything. */
export function anyDraft(choices: Choices): DefinitionDraft {
  return {
    transport: choices.oneOf(["ws", "sse"]),
    hasRoom: choices.below(4) === 0,
    isPublic: choices.below(6) !== 0,
    max: choices.upTo(1_000_000),
    importsShared: choices.below(4) === 0,
  };
}

/** The text of a definition file. */
export function definitionText(path: string, draft: DefinitionDraft): string {
  const { transport, hasRoom, isPublic, max, importsShared } = draft;
  const definition = {
    transport,
    ...(hasRoom ? { paramsSchema: { type: "object", properties: { room: { type: "string" } } } } : {}),
    ...(isPublic ? { public: true } : { auth: { cookieName: "session" } }),
    maxMessages: max,
  };
  if (path.endsWith(".json")) return `${JSON.stringify(definition, undefined, 2)}\n`;
  if (!importsShared) return channelText(JSON.stringify(definition, undefined, 2));
  const shared = path.split("/").length > 2 ? "../_shared.ts" : "./_shared.ts";
  return `import { max } from "${shared}";\n${channelText(`{ ...${JSON.stringify(definition)}, maxMessages: max }`)}`;
}

export function sharedText(max: number): string {
  return `export const max = ${max};\n`;
}

/** The project's files, by their paths from its root. */
export class ProjectFiles {
  readonly root: string;

  constructor(root: string) {
    this.root = realpathSync(root);
  }

  path(file: string): string {
    return join(this.root, file);
  }

  has(file: string): boolean {
    return existsSync(this.path(file));
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
  }

  remove(file: string): void {
    rmSync(this.path(file), { recursive: true, force: true });
  }

  /** The files that define a channel now. */
  filesOf(name: string): string[] {
    return EXTENSIONS.map((extension) => `channels/${name}.${extension}`).filter((file) => this.has(file));
  }

  /** The first of them, else where it would be. */
  fileOf(name: string, extension: (typeof EXTENSIONS)[number]): string {
    return this.filesOf(name)[0] ?? `channels/${name}.${extension}`;
  }
}
