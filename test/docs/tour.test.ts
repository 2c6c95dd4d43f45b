import { expect, it } from "vitest";
import { ansiToHtml } from "../../scripts/tour/ansi-html.ts";
import { changedLines } from "../../scripts/tour/changed-lines.ts";
import { normalize } from "../../scripts/tour/normalize.ts";
import { withoutMachine } from "../../scripts/tour/without-machine.ts";
import { shownSince } from "../../scripts/tour/shown-since.ts";

it("draws colours, bold and dim of a terminal, and ends them where they end", () => {
  expect(ansiToHtml("\u001B[1;31mno\u001B[39m!\u001B[0m <b>")).toBe(
    '<span style="color:#f7768e;font-weight:bold">no</span><span style="font-weight:bold">!</span> &lt;b>',
  );
  expect(ansiToHtml("\u001B[38;5;208mx\u001B[38;2;1;2;3my")).toBe(
    '<span style="color:rgb(255 135 0)">x</span><span style="color:rgb(1 2 3)">y</span>',
  );
});

it("takes what a terminal has shown since, with the line that was a prompt or a status line", () => {
  expect(shownSince("a\n~ $", "a\n~ $ ls\nb\n~ $")).toBe("~ $ ls\nb\n~ $");
  expect(shownSince("a\n ● 1 channel", "a\nreload\n ● 2 channels")).toBe("reload\n ● 2 channels");
});

it("shows of an edit the lines that it has changed", () => {
  expect(changedLines("a\nb\nc", "a\nB\nc")).toBe("-b\n+B");
  expect(changedLines(undefined, "a\nb\n")).toBe("a\nb");
});

it("leaves out who else runs chanctl on the machine", () => {
  const others = `  ok    others  chanctl also runs: dev in /x (pid 1), dev in\n${" ".repeat(24)}/y (pid 2)\n`;
  const report = (row: string, count: number) =>
    `machine\n  ok    node\n${row}\nproject\n${count} ok, 0 warn`;
  expect(withoutMachine(report(others, 3), "/home/you")).toBe(report("", 2));
  expect(withoutMachine(report("", 2), "/home/you")).toBe(report("", 2));
});

it("makes two runs alike", () => {
  const run = (home: string, port: number, at: string) =>
    normalize(
      `A chat in ${home}/x\n${at} app        the app is ready after ${port / 100} ms\nhttp://127.0.0.1:${port} (pid ${port})`,
      { home, tarball: "/t/chanctl.tgz" },
    );
  expect(run("/tmp/one", 41_234, "18:03:05")).toBe(run("/tmp/two", 38_001, "09:59:59"));
});
