/**
 * The lines that a terminal has shown since an earlier look at its history. The line with the cursor counts when it
 * has changed: it was the prompt, or a status line.
 */
export function shownSince(before: string, now: string): string {
  const [old, lines] = [toLines(before), toLines(now)];
  const same = old.findIndex((line, index) => line !== lines[index]);
  return lines
    .slice(same === -1 ? old.length : same)
    .join("\n")
    .trimEnd();
}

/** Lines that a terminal has wrapped are joined with the blanks that stood at their ends. */
function toLines(history: string): string[] {
  return history
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd());
}
