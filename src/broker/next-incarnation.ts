import type { Database } from "better-sqlite3";

/** Makes a function that gives out incarnations: each once, to a life of a stream or to a subscription. */
export function createNextIncarnation(db: Database): () => number {
  const read = db.prepare<[], { value: number }>("SELECT value FROM meta WHERE name = 'next_incarnation'");
  const update = db.prepare<[number]>("UPDATE meta SET value = ? WHERE name = 'next_incarnation'");
  return () => {
    const next = read.get()?.value;
    if (next === undefined) throw new Error("the store has no incarnation counter");
    update.run(next + 1);
    return next;
  };
}
