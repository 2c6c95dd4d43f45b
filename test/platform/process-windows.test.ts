import { expect, test } from "vitest";
import { killTreeCommand, startTimeCommand } from "#src/platform/process-windows.ts";

test("a process is ended with all that it has started, by force", () => {
  expect(killTreeCommand(812)).toEqual(["taskkill", "/PID", "812", "/T", "/F"]);
});

test("a process is told from a later one with its id by a number that no locale changes", () => {
  const [program, ...args] = startTimeCommand(812);
  expect(program).toBe("powershell.exe");
  expect(args.at(-1)).toBe("(Get-Process -Id 812 -ErrorAction SilentlyContinue).StartTime.ToFileTimeUtc()");
});
