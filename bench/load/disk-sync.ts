import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { fdatasyncSync, writeSync } from "node:fs";
import { nowUs } from "./clock.ts";
import { Histogram } from "./histogram.ts";

/** What a log writes for one small commit. */
const PAGE_BYTES = 4_096;
const SHARE_OF_RUN = 0.2;

/**
 * Times `fdatasync` after each page that is appended to a file: what a durable write costs on this disk at the
 * least, whoever makes it.
 *
 * Blocks this process; a thread pool would add its own wait to each.
 */
export async function measureDiskSync(
  folder: string,
  { durationMs }: { readonly durationMs: number },
): Promise<Histogram> {
  const path = join(folder, "disk-sync");
  const file = await open(path, "w");
  try {
    const latency = new Histogram();
    const page = Buffer.alloc(PAGE_BYTES, "x");
    const endUs = nowUs() + durationMs * 1_000 * SHARE_OF_RUN;
    for (let startUs = nowUs(); startUs < endUs; startUs = nowUs()) {
      writeSync(file.fd, page);
      fdatasyncSync(file.fd);
      latency.record(nowUs() - startUs);
    }
    return latency;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}
