import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { TestContext } from "vitest";
import { requirePrograms, skipOrFail } from "../support/requires.ts";

/** Runs `openssl` and gives what it printed. */
export async function openssl(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("openssl", args);
  return stdout;
}

/** Skips the test without OpenSSL 3: what macOS calls `openssl` is LibreSSL, which checks less and prints otherwise. */
export async function requireOpenssl(context: TestContext): Promise<void> {
  requirePrograms(context, "openssl");
  const version = await openssl("version");
  if (!version.startsWith("OpenSSL 3.")) skipOrFail(context, `needs OpenSSL 3, got ${version.trim()}`);
}
