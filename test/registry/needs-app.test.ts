import { expect, test } from "vitest";
import { parseDefinition } from "#src/protocol/definition.ts";
import { needsApp } from "#src/registry/needs-app.ts";

const open = parseDefinition("news", { public: true });
const onPublish = parseDefinition("news", { public: true, onPublish: true });
const verified = parseDefinition("chat", { verify: true });

test.each([
  [false, "all are public", open, [open, open]],
  [true, "another is verified", open, [open, verified]],
  [true, "it sees messages now", open, [onPublish]],
  [true, "it saw messages before", onPublish, [open]],
  [true, "it was verified before", verified, [open]],
  [true, "it is new", undefined, [open]],
  [true, "another has never loaded", open, [open, undefined]],
])("%s: a saved channel of which %s", (needed, _, before, now) => {
  const entries = now.map((definition) => ({ definition }));
  const saved = { kind: "saved", before, wasBroken: false } as const;
  expect(needsApp(saved, { entries, isUp: true })).toBe(needed);
  expect(needsApp(saved, { entries, isUp: false })).toBe(true); // it may be down for what the file held
});

test.each([
  [false, "loaded, and one that is left is verified", false, [verified]],
  [true, "was broken, and one that is left is verified", true, [verified]],
  [false, "was broken, and all that are left are public", true, [open]],
])("%s: a removed channel that %s", (needed, _, wasBroken, now) => {
  const entries = now.map((definition) => ({ definition }));
  const removed = { kind: "removed", before: undefined, wasBroken } as const;
  expect(needsApp(removed, { entries, isUp: true })).toBe(needed);
  expect(needsApp(removed, { entries, isUp: false })).toBe(true);
});
