import { describe, expect, it } from "vitest";

import { palette } from "#src/commands/palette.ts";
import { eventLine, sumLine } from "#src/commands/server/event-line.ts";
import { statusText } from "#src/commands/server/status-text.ts";
import type { LogEntry } from "#src/shared/logger.ts";

const time = new Date(2026, 10, 21, 18, 3, 5);

function lineOf(entry: Omit<LogEntry, "level"> & Partial<LogEntry>, columns?: number): string {
  return eventLine({ level: "info", ...entry }, { columns, paint: palette(false), time });
}

const publish = {
  event: "publish",
  message: "publish chat/room=lobby",
  fields: { path: "chat/room=lobby", messages: 10, from: "u1", subscribers: 3, durationMs: 2 },
};

describe("the line of an event", () => {
  it("tells of a connect its subject, of a disconnect its length and reason", () => {
    const fields = { path: "chat/room=lobby", subject: "u1" };
    expect(lineOf({ event: "connect", message: "", fields })).toBe("18:03:05 connect    chat/room=lobby  u1");
    const end = { ...fields, durationMs: 3_000, code: "lifetime_over" };
    expect(lineOf({ event: "disconnect", message: "", fields: end })).toBe(
      "18:03:05 disconnect chat/room=lobby  u1 after 3 s: connection lifetime is over",
    );
  });

  it("tells of a publish its size, sender, fan-out and time", () => {
    expect(lineOf(publish)).toBe("18:03:05 publish    chat/room=lobby × 10 from u1 → 3 subscribers, 2 ms");
  });

  it("shortens the path in its middle where a terminal is narrow, and keeps the rest", () => {
    const fields = { ...publish.fields, path: `chat/room=${"x".repeat(50)}-end` };
    const line = lineOf({ ...publish, fields }, 70);
    expect(line).toMatch(/^18:03:05 publish {4}chat\/r.*….*-end × 10 from u1 → 3 subscribers, 2 ms$/);
    expect(line.length).toBe(70);
    expect(lineOf({ ...publish, fields }, 30).length).toBeLessThanOrEqual(30);
    expect(lineOf({ ...publish, fields })).toContain("x".repeat(50));
  });

  it("breaks a long warning below its own column, and shows all of it", () => {
    const message = "the app must listen on the port in `PORT`, 41234; it has not for 20 s";
    expect(
      lineOf({ event: "app-not-listening", level: "warn", message, fields: { hint: "listen" } }, 60),
    ).toBe(
      [
        "18:03:05 app        the app must listen on the port in",
        "                    `PORT`, 41234; it has not for 20 s",
        "  fix: listen",
      ].join("\n"),
    );
  });

  it("keeps the command of a fix whole, with what it is for below it", () => {
    const hint = "PORT=35693 node --import tsx server.ts     run it by itself to see what is wrong";
    const given = {
      event: "app-given-up",
      level: "error",
      message: "the app exited",
      fields: { hint },
    } as const;
    expect(lineOf(given, 80)).toBe(
      [
        "18:03:05 app        the app exited",
        "  fix: PORT=35693 node --import tsx server.ts",
        "           run it by itself to see what is wrong",
      ].join("\n"),
    );
    expect(lineOf(given)).toContain(`\n  fix: ${hint}`);
  });

  it("breaks what is below a code frame, and cuts the lines of that", () => {
    const frame = `> 1 | export ${"x".repeat(60)}\n    |        ^`;
    const message = `channels/new.ts:1:30: Expected\n\n${frame}\n\nThe channel new stays live as it was last good.`;
    const lines = lineOf({ event: "definition-error", level: "error", message }, 40).split("\n").slice(2);
    const cut = `> 1 | export ${"x".repeat(26)}…\n    |        ^`;
    expect(lines.join("\n")).toBe(`\n${cut}\n\nThe channel new stays live as it was\nlast good.`);
  });

  it("gives the reason of a disconnect a line of its own where there is no room", () => {
    const fields = { path: "news/topic=b", durationMs: 1_700, code: "service_restart" };
    const line = "18:03:05 disconnect news/topic=b after 1.7 s: server is restarting";
    expect(lineOf({ event: "disconnect", message: "", fields }, line.length)).toBe(line);
    expect(lineOf({ event: "disconnect", message: "", fields }, line.length - 1)).toBe(
      "18:03:05 disconnect news/topic=b after 1.7 s:\n                    server is restarting",
    );
  });

  it("shortens the path of what it counts, and keeps the count", () => {
    const path = `chat/room=${"x".repeat(50)}-end`;
    const line = sumLine({ event: "publish", path, count: 40 }, { columns: 60, paint: palette(false), time });
    expect(line).toMatch(/^18:03:05 publish {4}chat\/.*….*end × 40 in the last second$/);
    expect(line).toHaveLength(60);
  });

  it("keeps a code frame's lines", () => {
    const message = "channels/new.ts:1:30: Expected\n> 1 | export\n    |   ^";
    expect(lineOf({ event: "definition-error", level: "error", message }, 60)).toBe(
      "18:03:05 error      channels/new.ts:1:30: Expected\n> 1 | export\n    |   ^",
    );
  });

  it("escapes what a subject could forge a line with", () => {
    const fields = { path: "chat/room=a\n", subject: "\u001B[2Ju1" };
    expect(lineOf({ event: "connect", message: "", fields })).toBe(
      String.raw`18:03:05 connect    chat/room=a\x0a  \x1b[2Ju1`,
    );
  });
});

describe("the status line", () => {
  const status = {
    app: { kind: "ready", port: 41_234 },
    channels: 3,
    broken: 1,
    subscribers: 12,
    hasKeys: true,
  } as const;
  const textOf = (changes: object, columns = 100): string =>
    statusText({ ...status, ...changes }, { columns, paint: palette(false), now: 10_000 });

  it.each([
    [{}, " ● app ready on :41234 · 3 channels · 1 broken · 12 subscribers · h help"],
    [{ hasKeys: false, broken: 0 }, " ● app ready on :41234 · 3 channels · 12 subscribers"],
    [
      { app: { kind: "starting", since: 6_500 } },
      " ◌ app starting 3 s · 3 channels · 1 broken · 12 subscribers · h help",
    ],
    [
      { app: { kind: "crashed", restartAt: 13_700 }, broken: 0 },
      " ✗ app crashed, starting again in 4 s · 3 channels · 12 subscribers · h help",
    ],
    [
      { app: { kind: "blocked", port: 3_000, pid: 812 }, broken: 0 },
      " ✗ app blocked: pid 812 has :3000 · 3 channels · 12 subscribers · h help",
    ],
    [
      { app: { kind: "blocked", port: 3_000, pid: undefined }, hasKeys: false, broken: 0 },
      " ✗ app blocked: another program has :3000 · 3 channels · 12 subscribers",
    ],
    [{ app: { kind: "stopping" } }, " ◌ stopping · q stops at once"],
  ])("of %j is `%s`", (changes, expected) => {
    expect(textOf(changes)).toBe(expected);
  });

  it("gives up its middle first where the terminal is narrow, and never fills a line", () => {
    expect(textOf({}, 60)).toBe(" ● app ready on :41234 · 1 broken · 12 subscribers · h help");
    expect(textOf({}, 40)).toBe(" ● app ready on :41234 · h help");
    for (let columns = 5; columns < 80; columns += 1)
      expect(textOf({}, columns).length).toBeLessThan(columns);
  });
});
