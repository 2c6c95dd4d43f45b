import { clip } from "./clip.ts";

/**
 * What came, for an error that says what was expected: `nothing`, `a function`, `` an object with `public` ``.
 *
 * Of an object only its keys: what they hold may be a secret or somebody's message (CWE-532).
 */
export function describeShape(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? shapeOf(value) : `\`${toText(value)}\``;
}

function toText(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(clip(value)) : String(value);
}

function shapeOf(value: object): string {
  if (Array.isArray(value)) return "an array";
  const { constructor } = value;
  if (typeof constructor === "function" && constructor !== Object && constructor.name !== "") {
    return `an instance of \`${constructor.name}\``;
  }
  const keys = Object.keys(value);
  return keys.length === 0 ? "an empty object" : `an object with ${keyList(keys)}`;
}

const MAX_KEYS = 3;

function keyList(keys: readonly string[]): string {
  const shown = keys.slice(0, MAX_KEYS).map((key) => `\`${clip(key)}\``);
  return [...shown, ...(keys.length > MAX_KEYS ? ["…"] : [])].join(", ");
}
