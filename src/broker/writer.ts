import Database from "better-sqlite3";
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";
import { createApply } from "./apply.ts";
import type { Apply } from "./apply.ts";
import type { Operation, Result } from "./operation.ts";
import { makePrivateDatabase } from "./private-database.ts";
import { Reserve } from "./reserve.ts";
import { migrate } from "./schema.ts";

/** Operations that commit together. */
export interface Proposal {
  readonly id: number;
  readonly operations: readonly Operation[];
}

/** What a proposal came to. An error says nothing about whether it was stored, unless its code is `store_full` or `internal`. */
export type Outcome =
  | { readonly id: number; readonly results: readonly Result[] }
  | { readonly id: number; readonly error: { readonly code: ErrorCode; readonly message: string } };

/** Past this the writer waits for a checkpoint: the checkpoint thread alone never catches up under constant load. */
const MAX_WAL_BYTES = 64 * 1_024 * 1_024;

/** Pages given back to the file system after a trim: a few, so that the commit behind it does not wait. */
const VACUUM_PAGES = 256;

const BUSY_TIMEOUT_MS = 5_000;
const BUSY_RETRY_MS = 5;

/**
 * The one connection that writes the store. Commits whatever proposals it is given in one transaction: an fsync
 * costs the same for one as for a thousand.
 */
export class Writer {
  readonly #file: string;
  readonly #reserve: Reserve;
  /** Which file was opened: another one under the same name is not ours. */
  readonly #inode: number;
  #db: Database.Database;
  #apply: Apply;

  /** @throws {ChanctlError} `store_newer`, `store_invalid`. */
  constructor(file: string) {
    this.#file = file;
    this.#db = openForWriting(file);
    this.#inode = inodeOf(file);
    this.#apply = createApply(this.#db);
    this.#reserve = new Reserve(`${file}.reserve`);
    this.#reserve.fill();
  }

  /** Commits proposals and says what each came to. Never throws. */
  commit(proposals: readonly Proposal[]): Outcome[] {
    // Nobody will ever find what is written to a file that was removed, and a new one would give out the old ids again.
    if (inodeOf(this.#file) !== this.#inode) return proposals.map(toRemoved);
    // Without its reserve the disk is full: trims may go on, they make the room; appends may not, they would take it.
    const isFull = !this.#reserve.isFilled && !this.#reserve.fill();
    if (!isFull) return this.#commitTogether(proposals);
    const refused = proposals.filter((proposal) => !onlyFrees(proposal)).map(toStoreFull);
    return [...refused, ...this.#free(proposals)];
  }

  #commitTogether(proposals: readonly Proposal[]): Outcome[] {
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      const outcomes = proposals.map(({ id, operations }) => ({ id, results: operations.map(this.#apply) }));
      this.#db.exec("COMMIT");
      this.#tidy(proposals);
      return outcomes;
    } catch (thrown) {
      return this.#recover(proposals, thrown);
    }
  }

  #recover(proposals: readonly Proposal[], thrown: unknown): Outcome[] {
    const trouble = this.#db.open ? storeTroubleOf(thrown) : "store_unavailable";
    if (trouble === undefined) {
      // One bad operation must fail alone.
      this.#rollback();
      const [only] = proposals;
      if (only !== undefined && proposals.length === 1) return [failed(only, "internal", messageOf(thrown))];
      return proposals.flatMap((proposal) => this.#commitTogether([proposal]));
    }
    const hadReserve = this.#reserve.isFilled;
    // Room first: on a full disk the store cannot even be opened.
    if (trouble === "store_full") this.#reserve.release();
    // After an error of the disk the connection cannot be trusted to know what it has written.
    this.#reopen();
    const toFailed = (proposal: Proposal): Outcome => failed(proposal, trouble, messageOf(thrown));
    if (trouble === "store_unavailable" || !hadReserve) return proposals.map(toFailed);
    this.#truncateWal();
    // Trims use the room at once: by the next round the reserve could have been taken again, and so for ever.
    return [...proposals.filter((proposal) => !onlyFrees(proposal)).map(toFailed), ...this.#free(proposals)];
  }

  /** Commits those proposals that make room. */
  #free(proposals: readonly Proposal[]): Outcome[] {
    const freeing = proposals.filter(onlyFrees);
    return freeing.length === 0 ? [] : this.#commitTogether(freeing);
  }

  #rollback(): void {
    if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
  }

  #reopen(): void {
    try {
      this.#rollback();
      this.#db.close();
      this.#db = openForWriting(this.#file);
      this.#apply = createApply(this.#db);
    } catch {
      // Still in trouble: the next batch finds the connection closed or broken, fails and comes here again.
    }
  }

  #truncateWal(): void {
    const deadline = performance.now() + BUSY_TIMEOUT_MS;
    try {
      // SQLite's busy timeout does not cover another checkpoint, and one by the checkpoint thread may take long.
      while (this.#db.pragma("wal_checkpoint(TRUNCATE)", { simple: true }) === 1) {
        if (performance.now() > deadline) return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_RETRY_MS);
      }
    } catch {
      // Not even a checkpoint fits: the trims that go on make the room for it.
    }
  }

  /** What was committed is durable and must be acknowledged, so nothing here may throw: a broken disk fails the next commit. */
  #tidy(proposals: readonly Proposal[]): void {
    try {
      if (proposals.some(({ operations }) => operations.some(isFreeing))) {
        this.#db.pragma(`incremental_vacuum(${VACUUM_PAGES})`);
      }
      const walBytes = statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
      // A checkpoint copies the WAL into the database: once there is no room for the copy, a full disk stays full.
      const fits = this.#reserve.isFilled && this.#reserve.covers(walBytes);
      // Not RESTART: it leaves the file as large as it is, and every commit from then on would end here.
      if (walBytes > MAX_WAL_BYTES || !fits) this.#truncateWal();
    } catch {
      // See above.
    }
  }

  /** Checkpoints and closes the connection. */
  close(): void {
    this.#db.close();
  }
}

/** Opens a connection for writing and brings the schema up to date. */
function openForWriting(file: string): Database.Database {
  try {
    makePrivateDatabase(file);
    const db = new Database(file, { timeout: BUSY_TIMEOUT_MS });
    // `auto_vacuum` only takes before the first table exists and before WAL.
    db.pragma("auto_vacuum = INCREMENTAL");
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.pragma("wal_autocheckpoint = 0"); // the checkpoint thread does it: inline it is the p99 of an acknowledgement
    migrate(db, file);
    return db;
  } catch (cause) {
    if (cause instanceof ChanctlError) throw cause;
    throw new ChanctlError(
      "store_invalid",
      `the store ${file} cannot be opened for writing: ${messageOf(cause)}`,
      { cause, hint: openHint(file, errorCodeOf(cause)) },
    );
  }
}

function openHint(file: string, code: string | undefined): string {
  if (code === "SQLITE_FULL") return `df -h "${dirname(file)}"     shows its disk: make some room`;
  if (code === "SQLITE_NOTADB" || code === "SQLITE_CORRUPT")
    return `mv "${file}" "${file}.bad"     begins an empty store`;
  return "check the disk and the permissions of the folder";
}

/** What adds to the store. A subscription's wakes and cursors are refused with the appends that they follow. */
const ADDING: ReadonlySet<Operation["kind"]> = new Set([
  "append",
  "create",
  "write",
  "subscribe",
  "link-streams",
  "wake",
  "claim",
  "ack",
  "release",
  "end-lease",
  "delivered",
  "delivery-failed",
  "set-signing-key",
]);

/** A shorter retention makes room by the trims that follow, so it is let through where those are. */
function isFreeing({ kind }: Operation): boolean {
  return !ADDING.has(kind);
}

function onlyFrees({ operations }: Proposal): boolean {
  return operations.every(isFreeing);
}

/** 0 if it is not there. */
function inodeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.ino ?? 0;
}

function toRemoved(proposal: Proposal): Outcome {
  return failed(
    proposal,
    "store_unavailable",
    "the store's file was removed while it was in use: restart chanctl",
  );
}

function toStoreFull(proposal: Proposal): Outcome {
  return failed(proposal, "store_full", "the disk of the store is full");
}

function failed({ id }: Proposal, code: ErrorCode, message: string): Outcome {
  return { id, error: { code, message } };
}

/** What an error says about the store; `undefined` if the operation is to blame and not the disk. */
function storeTroubleOf(thrown: unknown): "store_full" | "store_unavailable" | undefined {
  const code = errorCodeOf(thrown);
  if (code === "SQLITE_FULL") return "store_full";
  const isOfTheOperation =
    code === undefined || /^SQLITE_(CONSTRAINT|MISMATCH|RANGE|TOOBIG|ERROR)/.test(code);
  return isOfTheOperation ? undefined : "store_unavailable";
}
