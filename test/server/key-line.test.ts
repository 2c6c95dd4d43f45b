import { describe, expect, it } from "vitest";

import { lineOfKey } from "#src/server/key-line.ts";

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

describe("the line of a key", () => {
  it.each([
    ["port", 8],
    ["app.port", 6],
    ["app", 4],
    ["limits.maxMessageBytes", 10],
    ["host", undefined],
  ])("%s is %s, comments, texts and keys of that name elsewhere aside", (key, line) => {
    expect(lineOfKey(SOURCE, key)).toBe(line);
  });

  it("is found where its object stands by itself, if nothing else has its name", () => {
    expect(lineOfKey("const app = {\n  port: 1,\n};\nexport default { app };", "app.port")).toBe(2);
  });

  it("is not guessed", () => {
    expect(lineOfKey("const a = { port: 1 };\nconst b = { port: 2 };", "app.port")).toBeUndefined();
  });

  it("is that of JSON too", () => {
    expect(lineOfKey('{\n  "app": { "port": 1 },\n  "port": 2\n}', "port")).toBe(3);
  });
});
