import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Store } from "#src/broker/store.ts";
import { bytesOf } from "#src/broker/entry.ts";
import type { Reader } from "#src/broker/reader.ts";
import { ChanctlError } from "#src/shared/errors.ts";
import { ORIGIN } from "#src/protocol/offset.ts";
import { kill, startFixture } from "../support/child.ts";
import { seededRandom } from "../support/random.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { createInterface } from "node:readline";
import { once } from "node:events";

const SEED = 20_261_121;
const TEARS = 40;
/** Each tear is a store that is opened, written to and closed. */
const TIMEOUT_MS = 180_000;
const FILES = ["channels.sqlite", "channels.sqlite-wal"] as const;

describe(`a store whose last write was torn (section 4, Durability; seed ${SEED})`, () => {
  it(
    "has an unbroken beginning of what was acknowledged, up to the tear, and goes on from there",
    { timeout: TIMEOUT_MS },
    async () => {
      const random = seededRandom(SEED);
      const folder = temporaryFolder();
      const acknowledged = await writeUntilKilled(folder, 400);
      const wal = join(folder, FILES[1]);
      // Which append each length of the WAL has acknowledged was noted by whoever wrote it.
      expect(existsSync(wal)).toBe(true);
      const size = statSync(wal).size;
      for (let tear = 0; tear < TEARS; tear += 1) {
        const torn = copyStore(folder);
        const length = Math.floor(random() * (size + 1));
        const isBent = random() < 0.3;
        if (isBent) bend(join(torn, FILES[1]), length, random);
        else truncateSync(join(torn, FILES[1]), length);
        await using store = await Store.open({ folder: torn, logger: () => {} });
        const found = readNumbers(store.reader);
        const told = acknowledged.findLast(({ walBytes }) => walBytes <= length)?.number ?? -1;
        expect(found, `${isBent ? "bent" : "cut"} at ${length} of ${size}`).toEqual(
          found.map((_, index) => index),
        );
        expect(found.length, `what was acknowledged before ${length}`).toBeGreaterThan(told);
        // What is acknowledged now is found behind it, and not hidden by the tear.
        await store.propose([append(found.length)]);
        expect(readNumbers(store.reader)).toHaveLength(found.length + 1);
      }
    },
  );

  it(
    "is refused, or whole up to what a checkpoint has, where the file itself is torn",
    { timeout: TIMEOUT_MS },
    async () => {
      const random = seededRandom(SEED + 1);
      const folder = temporaryFolder();
      {
        await using store = await Store.open({ folder, logger: () => {} });
        await store.propose([create]);
        for (let number = 0; number < 200; number += 1) await store.propose([append(number)]);
      }
      const size = statSync(join(folder, FILES[0])).size;
      const outcomes = new Set<string>();
      for (let tear = 0; tear < TEARS / 3; tear += 1) {
        const torn = copyStore(folder);
        truncateSync(join(torn, FILES[0]), Math.floor(random() * size));
        outcomes.add(await openTorn(torn));
      }
      // Never silently less than was there.
      expect([...outcomes].filter((outcome) => outcome !== "refused")).toEqual([]);
    },
  );
});

const create = {
  kind: "create",
  path: "/torn",
  time: 1,
  mediaType: "application/octet-stream",
  closes: false,
  bodies: [],
} as const;

function append(number: number) {
  return {
    kind: "write",
    path: "/torn",
    time: 2 + number,
    mediaType: "application/octet-stream",
    closes: false,
    bodies: [Buffer.from(String(number).padEnd(100))],
  } as const;
}

/** `"refused"` where reading or opening it is an error; else what can be read and should not be. */
async function openTorn(folder: string): Promise<string> {
  try {
    await using store = await Store.open({ folder, logger: () => {} });
    const found = readNumbers(store.reader);
    return found.length === 200 ? "whole" : `only ${found.length}`;
  } catch (error) {
    if (error instanceof ChanctlError && error.code.startsWith("store_")) return "refused";
    throw error;
  }
}

function readNumbers(reader: Reader): number[] {
  const parts: Buffer[] = [];
  for (let after = ORIGIN; ;) {
    const page = reader.page("/torn", { after, notBefore: 0, maxEntries: 1_000, maxBytes: 1_000_000 });
    if (page.kind === "gone") throw new Error("gone");
    if (page.kind === "end") break;
    parts.push(...page.entries.map(bytesOf));
    after = page.offsetAt(page.entries.at(-1)?.position ?? 0);
  }
  const text = Buffer.concat(parts).toString();
  return (text.match(/.{100}/g) ?? []).map((row) => Number(row.trim()));
}

function copyStore(folder: string): string {
  const copy = temporaryFolder();
  mkdirSync(copy, { recursive: true });
  for (const file of FILES)
    if (existsSync(join(folder, file))) copyFileSync(join(folder, file), join(copy, file));
  return copy;
}

/** Other bytes in the place of the last ones, as a disk may leave that wrote its sectors in another order. */
function bend(file: string, from: number, random: () => number): void {
  const bytes = readFileSync(file);
  for (let index = from; index < bytes.length; index += 1) bytes[index] = Math.floor(random() * 256);
  writeFileSync(file, bytes);
}

interface Acknowledged {
  readonly number: number;
  /** How long the WAL was when the writer was told. */
  readonly walBytes: number;
}

/** A process that appends and tells what was acknowledged, until it is killed. */
async function writeUntilKilled(folder: string, count: number): Promise<Acknowledged[]> {
  const child = startFixture("appends", folder);
  if (child.stdout === null) throw new Error("the child has no output");
  const acknowledged: Acknowledged[] = [];
  const lines = createInterface({ input: child.stdout });
  const ended = once(lines, "close");
  lines.on("line", (line) => {
    const [number, walBytes, end] = line.split(" ");
    if (end === "told") acknowledged.push({ number: Number(number), walBytes: Number(walBytes) });
    if (acknowledged.length === count) child.kill("SIGKILL");
  });
  await ended;
  await kill(child);
  return acknowledged;
}
