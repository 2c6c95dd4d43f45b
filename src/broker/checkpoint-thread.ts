import Database from "better-sqlite3";
import { parentPort, workerData } from "node:worker_threads";

const EVERY_MS = 500;

// Moves committed pages from the WAL into the database beside the writer. PASSIVE never waits for it and never
// makes it wait: a checkpoint inside the writer is an 8–16 ms pause of every acknowledgement behind it.
const { file }: { file: string } = workerData;
const db = new Database(file, { timeout: 0 });
db.pragma("synchronous = FULL");
const timer = setInterval(() => {
  try {
    db.pragma("wal_checkpoint(PASSIVE)");
  } catch {
    // Busy, or a disk in trouble: the writer reports that where a publisher sees it; here the next round tries again.
  }
}, EVERY_MS);
parentPort?.once("message", () => {
  clearInterval(timer);
  db.close();
  parentPort?.close();
});
