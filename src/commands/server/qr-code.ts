import { encode } from "uqr";

/** Modules of quiet around the code: two are enough on a screen, where the standard asks for four. */
const QUIET = 2;

/** Black on white by number: a terminal's theme may call anything "black". */
const BLACK_ON_WHITE = "\u001b[38;5;16;48;5;231m";
const RESET = "\u001b[0m";

/** By the upper and the lower of two modules, dark or light. */
const DARK_INK = { "dark dark": "█", "dark light": "▀", "light dark": "▄", "light light": " " } as const;
const LIGHT_INK = { "dark dark": " ", "dark light": "▄", "light dark": "▀", "light light": "█" } as const;

/**
 * A QR code as lines for a terminal, all of one width, two modules a character.
 *
 * Without colours the ink is what is light: right where the background is dark, which most terminals' is, and read
 * all the same by most phones where it is light.
 */
export function renderQrCode(text: string, { color }: { readonly color: boolean }): readonly string[] {
  const { data, size } = encode(text, { ecc: "L", border: QUIET });
  const ink = color ? DARK_INK : LIGHT_INK;
  const shade = (row: number, column: number): "dark" | "light" =>
    data[row]?.[column] === true ? "dark" : "light";
  return Array.from({ length: Math.ceil(size / 2) }, (_, pair) => {
    const line = Array.from(
      { length: size },
      (_, column) => ink[`${shade(pair * 2, column)} ${shade(pair * 2 + 1, column)}`],
    ).join("");
    return color ? `${BLACK_ON_WHITE}${line}${RESET}` : line;
  });
}
