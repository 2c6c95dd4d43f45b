import { describe, expect, it } from "vitest";

import { placeOfKey } from "#src/server/key-place.ts";

const SOURCE = `import { defineConfig } from "chanctl/config";
// port: 1
export default defineConfig({
  app: {
    command: "PORT: 3 { npm start",
    port: 3000,
  },
  "port": 4433, /* port:
  port: 2 */
  limits: { maxMessageBytes: 1 },
});`;

describe("the place of a key", () => {
  it.each([
    ["port", { line: 8, column: 3, length: 6 }],
    ["app.port", { line: 6, column: 5, length: 4 }],
    ["app", { line: 4, column: 3, length: 3 }],
    ["limits.maxMessageBytes", { line: 10, column: 13, length: 15 }],
    ["host", undefined],
  ])("%s is %j, comments, texts and keys of that name elsewhere aside", (key, place) => {
    expect(placeOfKey(SOURCE, key)).toEqual(place);
  });

  it("is found where its object stands by itself, if nothing else has its name", () => {
    expect(placeOfKey("const app = {\n  port: 1,\n};\nexport default { app };", "app.port")).toMatchObject({
      line: 2,
      column: 3,
    });
  });

  it("is not guessed", () => {
    expect(placeOfKey("const a = { port: 1 };\nconst b = { port: 2 };", "app.port")).toBeUndefined();
  });

  it("is that of JSON too", () => {
    expect(placeOfKey('{\n  "app": { "port": 1 },\n  "port": 2\n}', "port")).toEqual({
      line: 3,
      column: 3,
      length: 6,
    });
  });
});
