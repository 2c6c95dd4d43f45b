import type { FileStamps } from "./file-stamp.ts";

/** What a definition child is asked to load. */
export interface DefinitionJob {
  readonly files: readonly string[];
  /** The project's folder. */
  readonly root: string;
  /** Where the child writes its bundles; the asker removes it. */
  readonly cacheFolder: string;
}

/** What a definition child tells of one file: `importing`, unless bundling failed, then one of the others. */
export type DefinitionReport =
  | { readonly kind: "importing"; readonly file: string; readonly stamps: FileStamps }
  | {
      readonly kind: "loaded";
      readonly file: string;
      readonly stamps: FileStamps;
      /** The default export as plain JSON; `verify` and `onPublish` are `true`, other functions `FUNCTION_MARK`. */
      readonly definition: unknown;
    }
  | {
      readonly kind: "failed";
      readonly file: string;
      readonly stamps: FileStamps;
      readonly message: string;
      readonly hint?: string;
    };

/**
 * Reads a message of a definition child.
 *
 * @returns `undefined` if it is no report: what a definition imports may send messages of its own.
 */
export function parseReport(value: unknown): DefinitionReport | undefined {
  if (!isRecord(value) || typeof value["file"] !== "string" || !isRecord(value["stamps"])) return undefined;
  const base = { file: value["file"], stamps: value["stamps"] as FileStamps };
  switch (value["kind"]) {
    case "importing":
      return { kind: "importing", ...base };
    case "loaded":
      return { kind: "loaded", ...base, definition: value["definition"] };
    case "failed":
      return {
        kind: "failed",
        ...base,
        message: String(value["message"]),
        ...(typeof value["hint"] === "string" ? { hint: value["hint"] } : {}),
      };
    default:
      return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
