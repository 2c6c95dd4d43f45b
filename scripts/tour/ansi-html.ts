/** The eight colours and their bright ones, on a dark background. */
const COLORS = [
  "#3b4252 #f7768e #9ece6a #e0af68 #7aa2f7 #bb9af7 #7dcfff #c0caf5",
  "#6b7394 #ff8fa3 #b9f27c #ffc777 #8db6ff #c7a9ff #a4daff #ffffff",
].flatMap((row) => row.split(" "));

/** How text looks from here on. */
interface Look {
  readonly color?: string;
  readonly background?: string;
  readonly isBold?: boolean;
  readonly isDim?: boolean;
  readonly isUnderlined?: boolean;
  readonly isInverse?: boolean;
}

const PLAIN: Look = {};
const ESCAPE = "\u001B";
/** How text looks (ECMA-48, 8.3.117). */
const SGR = new RegExp(`${ESCAPE}\\[([\\d;]*)m`);
const SHIFTS = `[${String.fromCodePoint(0x0e, 0x0f)}]`;
/** Which set of characters is meant, which says nothing here. */
const CHARACTER_SET = new RegExp(`${ESCAPE}\\(B|${SHIFTS}`, "g");

/** Turns what `tmux capture-pane -ep` gives (text with SGR sequences, nothing else) into HTML. */
export function ansiToHtml(ansi: string): string {
  let look = PLAIN;
  // Every second part is what a sequence says.
  return ansi
    .replaceAll(CHARACTER_SET, "")
    .split(SGR)
    .map((part, index) => {
      if (index % 2 === 0) return part === "" ? "" : span(part, look);
      look = nextLook(look, part === "" ? [0] : part.split(";").map(Number));
      return "";
    })
    .join("");
}

/** Reads the parameters of one SGR sequence. */
function nextLook(look: Look, codes: readonly number[]): Look {
  const [code, ...rest] = codes;
  if (code === undefined) return look;
  if (code === 38 || code === 48) {
    const { color, length } = extendedColor(rest);
    return nextLook({ ...look, [code === 38 ? "color" : "background"]: color }, rest.slice(length));
  }
  return nextLook(changed(look, code), rest);
}

function changed(look: Look, code: number): Look {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...look, isBold: true };
  if (code === 2) return { ...look, isDim: true };
  if (code === 4) return { ...look, isUnderlined: true };
  if (code === 7) return { ...look, isInverse: true };
  if (code === 22) return { ...look, isBold: false, isDim: false };
  if (code === 24) return { ...look, isUnderlined: false };
  if (code === 27) return { ...look, isInverse: false };
  const color = basicColor(code % 10, code >= 90);
  if ((code >= 30 && code <= 39) || (code >= 90 && code <= 97)) return { ...look, color };
  if ((code >= 40 && code <= 49) || (code >= 100 && code <= 107)) return { ...look, background: color };
  return look;
}

/** 9 is the terminal's own. */
function basicColor(digit: number, isBright: boolean): string {
  return digit === 9 ? "" : (COLORS[digit + (isBright ? 8 : 0)] ?? "");
}

/** `5;n` of the 256 colours, or `2;r;g;b`. */
function extendedColor([mode, ...values]: readonly number[]): { color: string; length: number } {
  if (mode === 2) return { color: `rgb(${values.slice(0, 3).join(" ")})`, length: 4 };
  const [index = 0] = values;
  if (index < 16) return { color: COLORS[index] ?? "", length: 2 };
  const level = (step: number): number => (step === 0 ? 0 : 55 + step * 40);
  const cube = index - 16;
  const rgb =
    index >= 232
      ? Array.from({ length: 3 }, () => 8 + (index - 232) * 10)
      : [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level);
  return { color: `rgb(${rgb.join(" ")})`, length: 2 };
}

function span(text: string, look: Look): string {
  const style = [
    look.isInverse === true ? "filter:invert(1)" : "",
    look.color ? `color:${look.color}` : "",
    look.background ? `background:${look.background}` : "",
    look.isBold === true ? "font-weight:bold" : "",
    look.isDim === true ? "opacity:.62" : "",
    look.isUnderlined === true ? "text-decoration:underline" : "",
  ].filter((rule) => rule !== "");
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return style.length === 0 ? escaped : `<span style="${style.join(";")}">${escaped}</span>`;
}
