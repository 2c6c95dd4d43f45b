import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("./store-probe-child.js", import.meta.url));

/** What the child tells, in this order. */
export type StoreReport =
  | { readonly kind: "sqlite"; readonly version: string }
  | { readonly kind: "lock"; readonly isHeld: boolean }
  | { readonly kind: "schema"; readonly found: number; readonly known: number }
  | { readonly kind: "clock"; readonly lastTime: number }
  | { readonly kind: "checked"; readonly problems: readonly string[] }
  | { readonly kind: "failed"; readonly code: string | undefined; readonly message: string };

/** What could be found out about a store without changing it. */
export interface StoreProbe {
  /** The version of SQLite; absent: it does not load. */
  readonly sqlite?: string;
  /** What was written on standard error, where SQLite does not load. */
  readonly output: string;
  /** Whether a process has the store; absent: there is no store, or nothing could be found out. */
  readonly isHeld?: boolean;
  /** The schema of the file, and the one that this chanctl writes. */
  readonly schema?: { readonly found: number; readonly known: number };
  /** The time of the last message, in ms since 1970. */
  readonly lastTime?: number;
  /** What `PRAGMA quick_check` found; absent: it did not come to its end. */
  readonly problems?: readonly string[];
  /** Why the file cannot be read. */
  readonly failure?: { readonly code: string | undefined; readonly message: string };
  /** Whether the time was over before all was looked at. */
  readonly isCutOff: boolean;
}

/**
 * Looks at the store of a folder without changing it. In a child: a check of gigabytes cannot be stopped otherwise, and
 * neither a native module that does not fit nor a damaged file may end who asks.
 */
export async function probeStore(
  folder: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<StoreProbe> {
  const reports: StoreReport[] = [];
  let output = "";
  const child = fork(CHILD, [folder], { stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv: [] });
  const ended = new Promise<boolean>((resolve) => {
    const cutOff = (): void => {
      child.kill("SIGKILL");
      resolve(true);
    };
    const timer = setTimeout(cutOff, timeoutMs);
    signal.addEventListener("abort", cutOff, { once: true });
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", cutOff);
      resolve(false);
    };
    child.once("close", end);
    child.once("error", end);
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (output = (output + text).slice(0, 4_096)));
  child.on("message", (report: StoreReport) => reports.push(report));
  const isCutOff = await ended;
  return { ...gather(reports), output, isCutOff };
}

function gather(reports: readonly StoreReport[]): Omit<StoreProbe, "output" | "isCutOff"> {
  const of = <K extends StoreReport["kind"]>(kind: K): Extract<StoreReport, { kind: K }> | undefined =>
    reports.find((report): report is Extract<StoreReport, { kind: K }> => report.kind === kind);
  const [sqlite, lock, schema, clock] = [of("sqlite"), of("lock"), of("schema"), of("clock")];
  const [checked, failed] = [of("checked"), of("failed")];
  return {
    ...(sqlite && { sqlite: sqlite.version }),
    ...(lock && { isHeld: lock.isHeld }),
    ...(schema && { schema: { found: schema.found, known: schema.known } }),
    ...(clock && { lastTime: clock.lastTime }),
    ...(checked && { problems: checked.problems }),
    ...(failed && { failure: { code: failed.code, message: failed.message } }),
  };
}
