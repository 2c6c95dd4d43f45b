import { on } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { Store } from "#src/broker/store.ts";
import { kill, startFixture } from "../support/child.ts";
import { resultOf } from "../support/operations.ts";
import { seededRandom } from "../support/random.ts";
import { readAll } from "../support/store.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { numberedAppend } from "./fixtures/numbered-append.mjs";

/** `CHAOS=1` kills often enough to be sure; every run kills often enough to notice a slip. */
const KILLS = process.env["CHAOS"] ? 120 : 12;
const PUBLISHERS = 16;
/** Now and then the stream is dropped too: its next life must not give out an id again. */
const KILLS_PER_LIFE = 5;

const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

describe("a store that is killed", () => {
  it(
    `loses, doubles and reorders nothing over ${KILLS} kills (SEED=${seed})`,
    { timeout: KILLS * 5_000 },
    async () => {
      const random = seededRandom(seed);
      const folder = temporaryFolder();
      const ledger = new Ledger();
      for (let round = 1; round <= KILLS; round += 1) {
        await publishUntilKilled(folder, ledger, { lines: 1 + Math.floor(random() ** 3 * 2_000) });
        await using store = await Store.open({ folder, logger: () => {} });
        await ledger.repeatUnanswered(store);
        await ledger.repeatAcknowledged(store, random);
        ledger.compare(readAll(store, "chat", ledger.incarnation));
        if (round % KILLS_PER_LIFE === 0) await ledger.beginLife(store);
      }
      expect(ledger.size).toBeGreaterThan(KILLS * PUBLISHERS);
    },
  );
});

/** Lets a process publish until so many acknowledgements have come, and kills it wherever it is then. */
async function publishUntilKilled(
  folder: string,
  ledger: Ledger,
  { lines }: { lines: number },
): Promise<void> {
  const child = startFixture("publishes", folder, JSON.stringify(ledger.nextNumbers));
  if (child.stdout === null) throw new Error("the child has no output");
  const output = createInterface({ input: child.stdout });
  let seen = 0;
  // What was in the pipe when the process died was acknowledged too: the loop ends with the output, not with the kill.
  for await (const [line] of on(output, "line", { close: ["close"] })) {
    if (!String(line).endsWith(" told")) continue; // cut off by the kill
    const [publisher = 0, number = 0, incarnation = 0, position = 0] = String(line).split(" ").map(Number);
    ledger.acknowledge({ publisher, number, incarnation, position });
    seen += 1;
    if (seen === lines) child.kill("SIGKILL");
  }
  await kill(child);
  expect(child.signalCode, "how the publisher ended").toBe("SIGKILL");
}

interface Acknowledged {
  readonly publisher: number;
  readonly number: number;
  readonly incarnation: number;
  readonly position: number;
}

/** What publishers were told, from the first process to the last. */
class Ledger {
  /** The next number of each publisher. */
  readonly nextNumbers: number[] = Array.from({ length: PUBLISHERS }, () => 0);
  /** Every id that was ever given out. */
  readonly #byId = new Map<string, Acknowledged>();
  incarnation = 1;

  get size(): number {
    return this.#byId.size;
  }

  acknowledge(acknowledged: Acknowledged): void {
    const { publisher, number, incarnation, position } = acknowledged;
    expect(number, `the next of publisher ${publisher}`).toBe(this.nextNumbers[publisher]);
    expect(
      this.#byId.has(`${incarnation}_${position}`),
      `${incarnation}_${position} was given out before`,
    ).toBe(false);
    this.#byId.set(`${incarnation}_${position}`, acknowledged);
    this.nextNumbers[publisher] = number + 1;
  }

  /** What was under way at the kill is stored or not; a repeat with its key stores it if it was not. */
  async repeatUnanswered(store: Store): Promise<void> {
    for (const [publisher, number] of this.nextNumbers.entries()) {
      const [result] = await store.propose([numberedAppend(publisher, number)]);
      const { incarnation, first } = resultOf("appended", result);
      this.acknowledge({ publisher, number, incarnation, position: first + 1 });
    }
  }

  /** A repeat of what was acknowledged gets the same id. */
  async repeatAcknowledged(store: Store, random: () => number): Promise<void> {
    const all = [...this.#byId.values()];
    for (let index = 0; index < 20; index += 1) {
      const known = all[Math.floor(random() * all.length)];
      if (known === undefined) return;
      const [result] = await store.propose([numberedAppend(known.publisher, known.number)]);
      const { incarnation, position } = known;
      expect(result).toMatchObject({ incarnation, first: position - 1, isRepeat: true });
    }
  }

  /** The stream holds each message of this life once, under its id, without a hole. */
  compare(messages: readonly { position: number; json: string }[]): void {
    const stored = messages.map(({ position, json }) => {
      const [publisher, number]: [number, number] = JSON.parse(json).data;
      return { publisher, number, incarnation: this.incarnation, position };
    });
    const told = [...this.#byId.values()].filter(({ incarnation }) => incarnation === this.incarnation);
    expect(stored).toEqual(told.toSorted((a, b) => a.position - b.position));
    expect(stored.map(({ position }) => position)).toEqual(stored.map((_, index) => index + 1));
    for (let publisher = 0; publisher < PUBLISHERS; publisher += 1) {
      const numbers = stored.filter((message) => message.publisher === publisher).map(({ number }) => number);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
    const times = messages.map(({ json }) => Number(JSON.parse(json).time));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  }

  async beginLife(store: Store): Promise<void> {
    const tail = store.reader.stream("chat")?.tail ?? 0;
    const [result] = await store.propose([
      { kind: "drop", path: "chat", incarnation: this.incarnation, tail },
    ]);
    this.incarnation = resultOf("dropped", result).incarnation;
  }
}
