import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  /** Mean number of runnable processes over the last minute before the bench began. */
  readonly loadBefore: number;
  /** Whether the store's folder is in memory, where an fsync costs nothing. */
  readonly isStoreInMemory: boolean;
}

/** @see https://man7.org/linux/man-pages/man2/statfs.2.html */
const TMPFS_MAGIC = 0x01_02_19_94;

/** Describes this machine and the file system of `folder`. */
export async function describeMachine(folder: string): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${release()}`,
    node: process.version,
    loadBefore: loadavg()[0] ?? Number.NaN,
    isStoreInMemory: (await statfs(folder)).type === TMPFS_MAGIC,
  };
}
