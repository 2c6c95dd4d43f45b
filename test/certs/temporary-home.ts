import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A config folder that does not exist yet, inside a temporary one that is removed after the test. */
export async function temporaryHome(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "chanctl-certs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "home");
}
