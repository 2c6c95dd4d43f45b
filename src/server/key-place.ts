import type { Place } from "../platform/code-frame.ts";

interface KeyToken {
  /** Its place among the keys around it: `app.port`. */
  readonly path: string;
  readonly place: Place;
}

/** Comments, texts (with a colon after them they are keys), names with a colon, braces and line breaks. */
const TOKEN =
  /\/\/[^\n]*|\/\*[^]*?\*\/|(["'`])((?:\\[^]|(?!\1)[^\\])*)\1(\s*:)?|([A-Za-z_$][\w$]*)\s*:(?!:)|[{}\n]/g;

/**
 * The place of a setting's key in the text of a config: of the one `port` of several that is within `app`.
 *
 * It reads no JavaScript, only its outlines: where the text does not show which key it is, there is no place.
 */
export function placeOfKey(source: string, key: string): Place | undefined {
  const tokens = keyTokens(source);
  const [found, ...others] = tokens.filter(({ path }) => path === key);
  if (found !== undefined) return others.length === 0 ? found.place : undefined;
  // `const app = { port: 1 }` has no `app:` around it.
  const last = key.split(".").at(-1) ?? key;
  const [alike, ...rest] = tokens.filter(({ path }) => path.split(".").at(-1) === last);
  return rest.length === 0 ? alike?.place : undefined;
}

function keyTokens(source: string): readonly KeyToken[] {
  const tokens: KeyToken[] = [];
  /** The key of each brace that is open; empty for one that has none. */
  const open: string[] = [];
  let pending = "";
  let line = 1;
  let lineStart = 0;
  for (const { 0: text, 2: quoted, 3: colon, 4: name, index } of source.matchAll(TOKEN)) {
    if (text === "{") {
      open.push(pending);
      pending = "";
    } else if (text === "}") {
      open.pop();
      pending = "";
    } else if (name !== undefined || (quoted !== undefined && colon !== undefined)) {
      pending = name ?? quoted ?? "";
      const length = text.replace(/\s*:$/, "").length;
      tokens.push({
        path: [...open.filter((outer) => outer !== ""), pending].join("."),
        place: { line, column: index - lineStart + 1, length },
      });
    }
    line += text.split("\n").length - 1;
    if (text.includes("\n")) lineStart = index + text.lastIndexOf("\n") + 1;
  }
  return tokens;
}
