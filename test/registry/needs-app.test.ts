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
  expect(needsApp({ before }, entries)).toBe(needed);
});
