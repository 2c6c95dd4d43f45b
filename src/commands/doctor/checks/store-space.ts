import { stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { existsSync } from "node:fs";

import { formatBytes } from "../../../shared/size.ts";
import type { Check, Verdict } from "../check.ts";

const LITTLE_BYTES = 256 * 1_024 * 1_024;
const NO_BYTES = 8 * 1_024 * 1_024;
/** The writer checkpoints long before; more means that a reader, or a full disk, keeps it from doing so. */
const MUCH_WAL_BYTES = 256 * 1_024 * 1_024;

/** How much room the store takes, and how much there is. */
export const storeSpace: Check = {
  name: "disk",
  group: "store",
  run: async ({ stateFolder }) => {
    const sizeOf = async (name: string): Promise<number | undefined> =>
      stat(join(stateFolder, name)).then(
        ({ size }) => size,
        () => undefined,
      );
    const storeBytes = await sizeOf("channels.sqlite");
    if (storeBytes === undefined) return undefined;
    const { bavail, bsize } = await statfs(existsSync(stateFolder) ? stateFolder : dirname(stateFolder));
    return judgeSpace({
      folder: stateFolder,
      storeBytes,
      walBytes: (await sizeOf("channels.sqlite-wal")) ?? 0,
      freeBytes: bavail * bsize,
      hasReserve: ((await sizeOf("channels.sqlite.reserve")) ?? 0) > 0,
    });
  },
};

interface SpaceFacts {
  readonly folder: string;
  readonly storeBytes: number;
  readonly walBytes: number;
  readonly freeBytes: number;
  readonly hasReserve: boolean;
}

export function judgeSpace({ folder, storeBytes, walBytes, freeBytes, hasReserve }: SpaceFacts): Verdict {
  const sizes = `${formatBytes(storeBytes)}, WAL ${formatBytes(walBytes)}, ${formatBytes(freeBytes)} free`;
  const fix = `df -h "${folder}"     make room there`;
  if (freeBytes < NO_BYTES) return { status: "fail", message: `the disk is full: ${sizes}`, fix };
  if (freeBytes < LITTLE_BYTES) return { status: "warn", message: `the disk is nearly full: ${sizes}`, fix };
  if (walBytes > MUCH_WAL_BYTES) {
    return {
      status: "warn",
      message: `the WAL has grown: ${sizes}`,
      fix: "close what else reads the store, such as a database browser",
    };
  }
  if (!hasReserve) {
    return {
      status: "warn",
      message: `${sizes}; the reserve for a full disk is missing`,
      fix: "chanctl dev     makes it again when it starts",
    };
  }
  return { status: "ok", message: sizes };
}
