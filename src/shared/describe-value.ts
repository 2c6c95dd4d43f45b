import { clip } from "./clip.ts";

/** Stands for a function where values travel as JSON; nobody writes such a text. */
export const FUNCTION_MARK = "\0function";

/** What came, for an error: `a function`, anything else as JSON between backticks. */
export function describeValue(value: unknown): string {
  if (value === FUNCTION_MARK || typeof value === "function") return "a function";
  return `\`${clip(JSON.stringify(value) ?? String(value))}\``;
}
