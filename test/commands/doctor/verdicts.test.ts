import { describe, expect, it } from "vitest";

import { judgeApp } from "#src/commands/doctor/checks/app-answers.ts";
import { createCA } from "mkcert";

import { judgeAuthority } from "#src/commands/doctor/checks/authority.ts";
import { judgeClock } from "#src/commands/doctor/checks/clock.ts";
import { judgeExtraCa } from "#src/commands/doctor/checks/extra-ca.ts";
import { judgeWatches } from "#src/commands/doctor/checks/file-watches.ts";
import { judgeLoopback } from "#src/commands/doctor/checks/ipv6-loopback.ts";
import { judgeInternal, judgePublic } from "#src/commands/doctor/checks/listeners.ts";
import { judgeNames } from "#src/commands/doctor/checks/localhost-names.ts";
import { judgeNode } from "#src/commands/doctor/checks/node-version.ts";
import { judgeOpenFiles } from "#src/commands/doctor/checks/open-files.ts";
import { judgeOthers, runningCommand } from "#src/commands/doctor/checks/other-projects.ts";
import { judgeSqlite } from "#src/commands/doctor/checks/sqlite.ts";
import { judgeIntegrity } from "#src/commands/doctor/checks/store-integrity.ts";
import { judgeLock } from "#src/commands/doctor/checks/store-lock.ts";
import { judgeSpace } from "#src/commands/doctor/checks/store-space.ts";
import { judgeTrust } from "#src/commands/doctor/checks/trust.ts";
import { palette } from "#src/commands/palette.ts";
import { codeFrame } from "#src/platform/code-frame.ts";
import { reportLines } from "#src/commands/doctor/report-lines.ts";
import { runChecks } from "#src/commands/doctor/run-checks.ts";
import type { Scene } from "#src/commands/doctor/check.ts";

describe("Node", () => {
  it.each([
    ["20.19.0", "ok"],
    ["22.1.0", "ok"],
    ["20.18.3", "fail"],
    ["18.20.0", "fail"],
  ])("%s is %s", (version, status) => {
    expect(judgeNode(version).status).toBe(status);
  });
});

describe("better-sqlite3", () => {
  const none = { output: "", isCutOff: false };

  it("13 under a Node without Node-API 10 is named, for it ends the process", () => {
    expect(judgeSqlite({ probe: none, addon: "13.2.0", napi: 9 })).toMatchObject({
      status: "fail",
      message: expect.stringContaining("needs Node-API 10, this Node has 9"),
    });
  });

  it("of another Node is rebuilt", () => {
    const output = "node:internal\nError: The module was compiled against a different Node.js version\n";
    expect(judgeSqlite({ probe: { ...none, output }, addon: "12.11.1", napi: 9 })).toMatchObject({
      status: "fail",
      message: expect.stringContaining("compiled against a different"),
      fix: expect.stringContaining("npm rebuild better-sqlite3"),
    });
  });
});

describe("the store", () => {
  const whole = { output: "", isCutOff: false, isHeld: false, schema: { found: 1, known: 1 }, problems: [] };

  it("that takes too long to check is not called whole", () => {
    const { problems: _, ...unchecked } = whole;
    expect(judgeIntegrity({ ...unchecked, isCutOff: true }, "a.sqlite")).toMatchObject({ status: "warn" });
    expect(judgeIntegrity(whole, "a.sqlite")).toMatchObject({ status: "ok" });
  });

  it("that is not there is not spoken of", () => {
    expect(judgeIntegrity({ output: "", isCutOff: false }, "a.sqlite")).toBeUndefined();
  });

  it.each([
    [{ freeBytes: 1_000_000 }, "fail"],
    [{ freeBytes: 100_000_000 }, "warn"],
    [{ walBytes: 1_000_000_000 }, "warn"],
    [{ hasReserve: false }, "warn"],
    [{}, "ok"],
  ])("with %j is %s", (facts, status) => {
    const good = { folder: "/x", storeBytes: 1, walBytes: 1, freeBytes: 1e12, hasReserve: true };
    expect(judgeSpace({ ...good, ...facts }).status).toBe(status);
  });

  it("that a process has which run.json does not name is told with its number", () => {
    expect(judgeLock({ isHeld: true, holder: 812, run: undefined })).toMatchObject({
      status: "warn",
      fix: expect.stringContaining("kill 812"),
    });
  });

  it("whose last message is from the future tells of the clock", () => {
    expect(judgeClock({ lastTime: 10_000_000, now: 0 })).toMatchObject({ status: "warn" });
    expect(judgeClock({ lastTime: 10_000, now: 0 })).toMatchObject({ status: "ok" });
  });
});

describe("the machine", () => {
  it("whose name server answers for .localhost is told", () => {
    expect(judgeNames(["203.0.113.7"])).toMatchObject({ status: "fail" });
    expect(judgeNames(["::1", "127.0.0.1"])).toMatchObject({ status: "ok" });
    expect(judgeNames("ENOTFOUND")).toMatchObject({ status: "ok" });
  });

  it("without a loopback is told", () => {
    expect(judgeLoopback(["10.0.0.1"])).toMatchObject({ status: "fail" });
    expect(judgeLoopback(["127.0.0.1"])).toMatchObject({ status: "ok" });
  });

  it("with few watches or few open files is told", () => {
    expect(judgeWatches({ watches: 8_192, instances: 128 })).toMatchObject({ status: "warn" });
    expect(judgeWatches({ watches: 500_000, instances: 64 })).toMatchObject({ status: "warn" });
    expect(judgeOpenFiles({ soft: 256, hard: 1_024 })).toMatchObject({ status: "warn" });
    expect(judgeOpenFiles({ soft: 1_024, hard: 1_048_576 })).toMatchObject({ status: "ok" });
  });

  it("tells what other chanctl run on it, and takes no other program for one", () => {
    expect(runningCommand(["/usr/bin/node", "/x/node_modules/.bin/chanctl", "dev"])).toBe("dev");
    expect(runningCommand(["node", "/x/chanctl/dist/cli.js", "serve", "--json"])).toBe("serve");
    expect(runningCommand(["node", "/x/chanctl/dist/cli.js", "tail", "chat"])).toBeUndefined();
    expect(runningCommand(["vim", "/x/chanctl", "dev"])).toBeUndefined();
    const running = [{ pid: 5, command: "dev", cwd: "/old-shop" }];
    expect(judgeOthers(running, "/shop")?.message).toContain("dev in /old-shop (pid 5)");
    expect(judgeOthers(running, "/old-shop")).toBeUndefined();
  });
});

describe("the listeners", () => {
  const run = { url: "https://localhost:1", internalUrl: "http://127.0.0.1:2", pid: 7 };

  it("are well where they answer as the broker does", () => {
    expect(judgePublic({ status: 204 }, run).status).toBe("ok");
    expect(judgeInternal({ status: 200 }, run).status).toBe("ok");
  });

  it("are told by what they do instead", () => {
    expect(judgePublic({ status: 200 }, run).status).toBe("warn");
    expect(judgePublic({ problem: "ECONNREFUSED" }, run).status).toBe("fail");
    expect(judgeInternal({ status: 401 }, run)).toMatchObject({ status: "fail" });
  });
});

describe("the app", () => {
  const app = { origin: "http://127.0.0.1:3000", address: undefined, state: "ready" };
  const silent = { problem: "ECONNREFUSED" };
  const nothing = { status: 404, text: "" };
  const failing = { status: 500, text: "" };
  const broken: readonly string[] = [];
  const reply = { status: 404, text: '{"ok":false,"status":404,"reason":"no such channel"}' };

  it("with the SDK is known by its 404 with a reason for a channel that nobody has", () => {
    expect(judgeApp({ app, reply, stranger: nothing, broken }).status).toBe("ok");
  });

  it.each([
    ["has nothing there", nothing, nothing],
    ["fails whatever it is asked", failing, failing],
    ["takes our token for as good as any other", reply, reply],
  ])("that %s has to mount the SDK, whatever else is broken", (_, reply, stranger) => {
    expect(judgeApp({ app, reply, stranger, broken: ["channels/bad.ts"] })).toMatchObject({
      status: "warn",
      fix: expect.stringMatching(/^app\.use/),
    });
  });

  it("that fails only where the token is shown has mounted it: the fault is a broken file's, or its own", () => {
    const judge = (broken: readonly string[]) => judgeApp({ app, reply: failing, stranger: nothing, broken });
    expect(judge(["channels/bad.ts"])).toMatchObject({
      status: "warn",
      message: expect.stringContaining("fails at authorize calls (500 for POST"),
      fix: "mend channels/bad.ts first     the app may load it too",
    });
    expect(judge([])).toMatchObject({ status: "warn", fix: expect.stringContaining("what it wrote") });
  });

  it("that is down is a fault, one that starts is not", () => {
    const down = { app, reply: silent, stranger: silent, broken };
    expect(judgeApp(down)).toMatchObject({ status: "fail", fix: expect.stringContaining("what it wrote") });
    expect(judgeApp(down).fix).toContain("in the terminal of chanctl");
    expect(judgeApp({ ...down, log: ".chanctl/dev.log" }).fix).toBe(
      "look at what it wrote: .chanctl/dev.log",
    );
    expect(judgeApp({ ...down, broken: ["channels/bad.ts"] }).fix).toContain("mend channels/bad.ts");
    expect(judgeApp({ ...down, app: { ...app, state: "starting" } }).status).toBe("warn");
  });
});

describe("a check", () => {
  const options = { scene: {} as Scene, signal: new AbortController().signal };

  it("that hangs holds up none of the others", async () => {
    const hanging = { name: "hangs", group: "machine", run: () => new Promise<undefined>(() => {}) } as const;
    const good = { name: "good", group: "machine", run: async () => judgeNode("22.0.0") } as const;
    const findings = await runChecks([hanging, good], { ...options, timeoutMs: 20 });
    expect(findings.map(({ check, status }) => [check, status])).toEqual([
      ["hangs", "warn"],
      ["good", "ok"],
    ]);
  });

  it("that throws fails alone", async () => {
    const thrower = {
      name: "throws",
      group: "machine",
      run: async () => {
        throw new Error("no such thing");
      },
    } as const;
    expect(await runChecks([thrower], options)).toMatchObject([
      { status: "fail", message: "cannot be found out: no such thing" },
    ]);
  });
});

describe("the CA", () => {
  it("that may sign for the whole internet is told", async () => {
    const { cert, key } = await createCA({
      organization: "a",
      countryCode: "",
      state: "",
      locality: "",
      validity: 365,
    });
    const paths = { certPath: "ca.pem", keyPath: "ca-key.pem", keyMode: 0o600, now: Date.now() + 1_000 };
    expect(judgeAuthority({ certPem: cert, keyPem: cert + key, ...paths })).toMatchObject([
      { status: "warn", message: expect.stringContaining("not bound to local names") },
    ]);
    const ended = { ...paths, now: Date.now() + 400 * 86_400_000 };
    // While the CA is there, the trust stores lose it by its fingerprint.
    expect(judgeAuthority({ certPem: cert, keyPem: cert + key, ...ended })).toMatchObject([
      { status: "fail", fix: expect.stringMatching(/^chanctl trust --uninstall .*\nrm -f "ca\.pem"/) },
      { status: "warn" },
    ]);
  });

  it("whose key alone is left, or whose certificate is, can be told apart", () => {
    const paths = { certPath: "ca.pem", keyPath: "ca-key.pem", keyMode: undefined, now: 0 };
    expect(judgeAuthority({ certPem: undefined, keyPem: undefined, ...paths })).toMatchObject({
      status: "ok",
    });
    expect(judgeAuthority({ certPem: "x", keyPem: undefined, ...paths })).toMatchObject({ status: "fail" });
    expect(judgeAuthority({ certPem: "x", keyPem: "x", ...paths })).toMatchObject({ status: "fail" });
  });

  it("that NODE_EXTRA_CA_CERTS should name and does not is told", () => {
    const none = { caPath: "ca.pem", caPem: "A", given: "/nowhere", givenPem: undefined };
    expect(judgeExtraCa(none)).toMatchObject({ status: "warn", fix: 'export NODE_EXTRA_CA_CERTS="ca.pem"' });
    expect(judgeExtraCa({ ...none, givenPem: "B A" })).toMatchObject({ status: "ok" });
    expect(judgeExtraCa({ ...none, givenPem: "B" })).toMatchObject({
      status: "warn",
      message: expect.stringContaining("holds no certificate in PEM"),
    });
    const givenPem = "-----BEGIN CERTIFICATE-----\nB\n-----END CERTIFICATE-----\n";
    expect(judgeExtraCa({ ...none, caPem: "own", givenPem })).toMatchObject({
      status: "ok",
      message: expect.stringContaining("the app is given the CA and what is in /nowhere"),
    });
  });
});

describe("the trust stores", () => {
  const store = (name: string): { name: string; place: string } => ({ name, place: "/x" });
  const yes = { store: store("system"), state: { kind: "trusted" } } as const;
  const no = { store: store("Firefox"), state: { kind: "untrusted" } } as const;

  it("that do not have the CA are named, with the command that brings it there", () => {
    const verdict = judgeTrust([yes, no, no]);
    expect(verdict).toMatchObject({
      status: "warn",
      message: "not trusted by Firefox; trusted by system",
      fix: "chanctl trust",
    });
  });

  it("of which nobody knows what they hold are no trust", () => {
    const state = { kind: "unreadable", reason: "it cannot be read", fix: "mv it away" } as const;
    expect(judgeTrust([yes, { ...no, state }])).toMatchObject({
      status: "warn",
      message: "not trusted by Firefox; trusted by system",
    });
  });

  it("that all have it, or are none, are well", () => {
    expect(judgeTrust([yes])).toMatchObject({ status: "ok" });
    expect(judgeTrust([])).toBeUndefined();
  });
});

describe("the report", () => {
  const finding = { group: "machine", check: "certificate", status: "warn" } as const;
  const message = "word ".repeat(30).trim();
  const step = "chanctl trust --uninstall";

  it("fits 60 columns, with what a command is for below it", () => {
    const findings = [{ ...finding, message, fix: `${step}     takes it out again` }];
    const lines = reportLines(findings, { columns: 60, palette: palette(false) });
    const margin = " ".repeat(21);
    expect(lines.filter((line) => line.length > 60)).toEqual([]);
    expect(lines.slice(3).every((line) => line.startsWith(margin))).toBe(true);
    expect(lines.slice(-2)).toEqual([`${margin}fix: ${step}`, `${margin}         takes it out again`]);
  });

  it("fits a code frame, whose caret points at the same", () => {
    const line = `const a = "${"x".repeat(40)}"; throw 1; // ${"y".repeat(40)}`;
    const frame = codeFrame(line, { line: 1, column: line.indexOf("throw") + 1, length: 5 });
    const findings = [{ ...finding, message: `a.ts:1:54: broken\n\n${frame}` }];
    const lines = reportLines(findings, { columns: 60, palette: palette(false) });
    expect(lines.filter((each) => each.length > 60)).toEqual([]);
    const [row = "", caret = ""] = lines.slice(-2);
    expect(row.slice(caret.indexOf("^"), caret.lastIndexOf("^") + 1)).toBe("throw");
  });

  it("has whole rows in a pipe", () => {
    const fix = `${step}     takes it out again`;
    const options = { columns: Number.POSITIVE_INFINITY, palette: palette(false) };
    expect(reportLines([{ ...finding, message, fix }], options).slice(2)).toEqual([
      `  warn  certificate  ${message}`,
      `${" ".repeat(21)}fix: ${fix}`,
    ]);
  });

  it("lets no text of others move the cursor", () => {
    const findings = [{ group: "machine", check: "x", status: "ok", message: "a\u001b[2Jb" }] as const;
    expect(reportLines(findings, { columns: 60, palette: palette(false) }).join("")).not.toContain("\u001b");
  });
});
