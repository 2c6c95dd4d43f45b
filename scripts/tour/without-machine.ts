/** The row of `doctor` that names who else runs chanctl on this machine, and the lines that it goes on in. */
const OTHERS = /^.*\bothers\b.*chanctl also runs.*\n(?:.{0,10}? {20,}\S.*\n)*/m;

/** Takes out of a screen what is of this machine only: where the home folder is, and who else runs chanctl. */
export function withoutMachine(screen: string, home: string): string {
  const text = screen.replaceAll(home, "~");
  if (!OTHERS.test(text)) return text;
  return text.replace(OTHERS, "").replace(/\b(\d+) ok,/, (_, count) => `${Number(count) - 1} ok,`);
}
