import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { onTestFinished, vi } from "vitest";
import { Supervisor } from "#src/app/supervisor.ts";
import type { SupervisorOptions } from "#src/app/supervisor.ts";
import { pickFreePort } from "#src/platform/free-port.ts";
import type { LogEntry } from "#src/shared/logger.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** The command line that runs a fixture. */
export function fixture(name: string): string {
  return `"${process.execPath}" "${fileURLToPath(new URL(`./fixtures/${name}.mjs`, import.meta.url))}"`;
}

/** What was told to a logger. */
export function collectLog(): { readonly entries: LogEntry[]; readonly logger: (entry: LogEntry) => void } {
  const entries: LogEntry[] = [];
  return { entries, logger: (entry) => void entries.push(entry) };
}

interface Supervised {
  readonly app: Supervisor;
  readonly port: number;
  readonly stateFolder: string;
  readonly log: LogEntry[];
  /** Every line that the app has written. */
  readonly output: string[];
}

/** Starts a fixture under a supervisor, which is closed when the test ends. */
export async function supervise(
  name: string,
  options: Partial<SupervisorOptions> & { readonly environment?: NodeJS.ProcessEnv } = {},
): Promise<Supervised> {
  const { entries, logger } = collectLog();
  const output: string[] = [];
  const port = options.port ?? (await pickFreePort());
  const stateFolder = temporaryFolder();
  const app = new Supervisor({
    command: fixture(name),
    cwd: tmpdir(),
    env: { PATH: process.env["PATH"], PORT: String(port), ...options.environment },
    port,
    stateFolder,
    logger,
    onOutput: ({ text }) => output.push(text),
    ...options,
  });
  onTestFinished(() => app.close());
  app.start();
  return { app, port, stateFolder, log: entries, output };
}

/** A signal that nobody aborts. */
export const never: AbortSignal = new AbortController().signal;

/** Waits until `condition` does not throw; the limit is there for a test that fails, not for a slow machine. */
export async function eventually<T>(condition: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(condition, { timeout: 20_000, interval: 20 });
}
