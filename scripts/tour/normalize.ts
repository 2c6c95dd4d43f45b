/** What is another at each run, and what stands for it: a second run of the tour gives a small diff. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/\bpid \d+/g, "pid 4711"],
  [/^\d\d:\d\d:\d\d(?= )/gm, "12:00:00"],
  [/\b\d+(?:\.\d+)? ?ms\b/g, "…"],
  [/\b(after|in|starting) \d+(?:\.\d+)? ?(?:s|m)\b/g, "$1 …"],
  [/\b(added|changed) \d+ packages?/g, "$1 … packages"],
  [/\b(\d+\.\d+\.\d+\.\d+|localhost):(?!4433\b|3000\b)\d{4,5}\b/g, "$1:40001"],
  [/ready on :(?!3000\b)\d{4,5}/g, "ready on :40001"],
  [/`PORT`, \d+/g, "`PORT`, 40001"],
  [/--port \d{4,5}/g, "--port 40001"],
  [/local CA [0-9a-f]{8}/g, "local CA 1a2b3c4d"],
  [/[\d,]+ (watches|at once|files and folders)/g, "… $1"],
  [/\b\d[\d.]* [kMG]?B\b/g, "… kB"],
  [/ends in \d+ d/g, "ends in … d"],
  [/\.timestamp-\d+-[0-9a-f]+\./g, ".timestamp."],
];

interface Places {
  /** The person's home folder. */
  readonly home: string;
  readonly tarball: string;
}

/** Takes out of a transcript what is of this run and of this machine. */
export function normalize(text: string, { home, tarball }: Places): string {
  const placed = text.replaceAll(tarball, "chanctl-0.1.0.tgz").replaceAll(home, "~");
  return RULES.reduce((now, [found, instead]) => now.replaceAll(found, instead), placed);
}
