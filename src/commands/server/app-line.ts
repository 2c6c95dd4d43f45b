const ESCAPE = "\u001B";
const BELL = "\u0007";
/** What ends an OSC sequence. */
const STRING_END = `${ESCAPE}\\\\`;

/** An escape sequence: CSI, OSC and its like up to their end, or a short one; also one that is cut off. */
const SEQUENCE = new RegExp(
  `${ESCAPE}(?:\\[[ -?]*[@-~]?|[\\]PX^_][^${BELL}${ESCAPE}]*(?:${BELL}|${STRING_END})?|[ -/]*[0-~]?)`,
  "g",
);

/** What may stay: colours, and links (OSC 8). All others could move the cursor, clear the screen or retitle it. */
const HARMLESS = new RegExp(`^${ESCAPE}(?:\\[[\\d:;]*m|\\]8;.*(?:${BELL}|${STRING_END}))$`);

const RESET = `${ESCAPE}[0m`;

/**
 * A line of the app as a terminal can show it among other lines: its colours and links stay, what moves the cursor or
 * clears the screen goes; of a progress bar, which returns to the line's start, the last state is shown.
 */
export function appLine(text: string): string {
  const shown = cleaned(text, (sequence) =>
    HARMLESS.test(sequence) ? sequence.replace(BELL, `${ESCAPE}\\`) : "",
  );
  return shown.includes(ESCAPE) ? shown + RESET : shown;
}

/** The same line for a file, a program or a terminal without colours: no escape sequence stays. */
export function plainAppLine(text: string): string {
  return cleaned(text, () => "");
}

/** A text of several lines without its colours and other escape sequences. */
export function withoutEscapeSequences(text: string): string {
  return text.includes(ESCAPE) ? text.replaceAll(SEQUENCE, "") : text;
}

function cleaned(text: string, toShown: (sequence: string) => string): string {
  if (!/[^\P{Cc}\t]/u.test(text)) return text;
  return text
    .slice(text.lastIndexOf("\r", text.length - 2) + 1)
    .replaceAll(SEQUENCE, toShown)
    .replaceAll(/\p{Cc}/gu, (control) => (control === "\t" || control === ESCAPE ? control : ""));
}
