import kleur from "kleur";

type Color = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

/** The few colours that chanctl uses. */
export type Palette = Readonly<Record<Color, (text: string) => string>>;

/** The colours, or functions that leave the text as it is: standard output and standard error may differ. */
export function palette(isEnabled: boolean): Palette {
  const paint = (color: Color) => (text: string) => {
    if (!isEnabled) return text;
    kleur.enabled = true; // kleur decides by the environment at its import; `Io` has decided for each stream
    return kleur[color](text);
  };
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    red: paint("red"),
    green: paint("green"),
    yellow: paint("yellow"),
    blue: paint("blue"),
    magenta: paint("magenta"),
    cyan: paint("cyan"),
  };
}
