import { expect, it } from "vitest";

import { toKeys } from "#src/commands/server/key-input.ts";

it.each([
  ["a key is itself", "h", ["h"]],
  ["keys that were pressed fast are several", "hiq", ["h", "i", "q"]],
  ["an arrow key is none", "\u001B[A", []],
  ["Alt with a key is none", "\u001Bq", []],
  ["what was pasted is none", "quit this quickly", []],
  ["Ctrl-C is heard whatever comes with it", "quit this\u0003quickly", ["\u0003"]],
])("%s", (_, text, keys) => {
  expect(toKeys(text)).toEqual(keys);
});
