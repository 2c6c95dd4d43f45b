import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { PATIENT } from "../support/patient.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const examples = [
  ...readFileSync(join(REPOSITORY, "docs/client.md"), "utf8").matchAll(/```(tsx?)\n(.*?)```/gs),
].map(([, loader = "", code = ""]) => ({ loader: loader as "ts" | "tsx", code }));
/** What each example prints, in the order of the page; `more` is appended to it. */
const EXPECTED = [
  { claim: "connects, publishes and hears itself", prints: ["live", "hi"], more: "" },
  {
    claim: "reads to the end",
    prints: ["…1 1", "…2 2", "error: none"],
    more: 'console.log("error:", orders.error?.code ?? "none")',
  },
  { claim: "shows a token, and another", prints: ["first", "refreshed"], more: 'console.log("refreshed")' },
  {
    claim: "reads in Node",
    prints: ["from the app"],
    more: 'await new Promise((done) => room.on("status", done)); console.log("live")',
  },
  {
    claim: "renders",
    prints: ["<p>connecting</p>"],
    more: 'import { renderToString } from "react-dom/server"; console.log(renderToString(<Room room="lobby" />))',
  },
].map((expected, index) => ({ ...expected, ...(examples[index] ?? { loader: "ts" as const, code: "" }) }));

let server: TestServer;

beforeAll(async () => {
  const chat = {
    transport: "ws",
    public: true,
    paramsSchema: { type: "object", properties: { room: { type: "string" } }, required: ["room"] },
  };
  server = await startTestServer({ channels: { chat, orders: { public: true } } });
  await server.publish("orders", [
    { type: "order", data: 1 },
    { type: "last", data: 2 },
  ]);
});
afterAll(() => server[Symbol.asyncDispose]());

it("has as many examples as are run here", () => expect(examples).toHaveLength(EXPECTED.length));

it.each(EXPECTED)("the example that $claim does", async ({ claim, prints, more, loader, code }) => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "node_modules"));
  for (const name of ["ws", "react", "react-dom"]) {
    symlinkSync(join(REPOSITORY, "node_modules", name), join(folder, "node_modules", name), "junction");
  }
  symlinkSync(REPOSITORY, join(folder, "node_modules", "chanctl"), "junction");
  // What a page has: its origin, and the app's own functions.
  const page = `
    globalThis.location = { origin: "${server.url}" };
    globalThis.getToken = ({ isNew }) => (console.log(isNew ? "again" : "first"), "a-token");`;
  const example = code.replace("https://localhost:4433", server.url);
  const { code: compiled } = await transform(`${example}\n${more}`, { loader, jsx: "automatic" });
  writeFileSync(join(folder, "page.mjs"), page);
  writeFileSync(join(folder, "example.mjs"), compiled);
  const child = spawn(process.execPath, ["--import", "./page.mjs", "example.mjs"], { cwd: folder });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  try {
    if (claim === "reads in Node") {
      await vi.waitFor(() => expect(output).toContain("live"), PATIENT);
      await server.publish("chat?room=lobby", { type: "message", data: "from the app" });
    }
    for (const text of prints) {
      const pattern = new RegExp(text.replace("…", "\\d+_\\d+"));
      await vi.waitFor(() => expect(output).toMatch(pattern), PATIENT);
    }
  } finally {
    child.kill();
  }
});
