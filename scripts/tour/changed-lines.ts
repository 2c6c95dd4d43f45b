/** What an edit has changed, as lines with `-` and `+`; a new file as it is. */
export function changedLines(before: string | undefined, after: string): string {
  if (before === undefined) return after.trimEnd();
  const [old, lines] = [before.split("\n"), after.split("\n")];
  const shorter = Math.min(old.length, lines.length);
  let head = 0;
  while (head < shorter && old[head] === lines[head]) head += 1;
  let foot = 0;
  while (foot < shorter - head && old.at(-1 - foot) === lines.at(-1 - foot)) foot += 1;
  const gone = old.slice(head, old.length - foot).map((line) => `-${line}`);
  const come = lines.slice(head, lines.length - foot).map((line) => `+${line}`);
  return [...gone, ...come].join("\n");
}
