import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdir, open, symlink } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it, onTestFinished, vi } from "vitest";

import { LogBuffer } from "#src/commands/server/log-buffer.ts";
import { LogFile } from "#src/commands/server/log-file.ts";
import type { LogTarget } from "#src/commands/server/log-file.ts";
import { ChanctlError } from "#src/shared/errors.ts";
import { mountSmallDisk } from "../../support/small-disk.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

interface Begun {
  readonly path: string;
  readonly file: LogFile;
  readonly buffer: LogBuffer;
  readonly problems: unknown[];
  readonly write: (line: string) => void;
}

/** However busy the machine is. */
function until(isSo: () => boolean): Promise<unknown> {
  return vi.waitUntil(isSo, { timeout: 30_000, interval: 5 });
}

function begin(
  folder: string,
  options: {
    readonly maxBytes?: number;
    readonly retryMs?: number;
    readonly create?: (path: string) => Promise<LogTarget>;
  } = {},
): Begun {
  const path = join(folder, "dev.log");
  const buffer = new LogBuffer({ maxChars: 4_000_000, droppedLine: (count) => `${count} missing\n` });
  const problems: unknown[] = [];
  const onProblem = (error: unknown): unknown => problems.push(error);
  const file = new LogFile({ path, buffer, header: "start\n", onProblem, ...options });
  onTestFinished(() => file.close());
  const write = (line: string): void => {
    buffer.add(line);
    file.wake();
  };
  return { path, file, buffer, problems, write };
}

describe("the log's file", () => {
  it("is for its owner alone, begins with the header, and has every line once it is closed", async () => {
    const { path, file, write } = begin(temporaryFolder());
    for (let line = 0; line < 10_000; line += 1) write(`${line}\n`);
    await file.close();
    await file.close();
    const lines = Array.from({ length: 10_000 }, (_, line) => `${line}\n`);
    expect(readFileSync(path, "utf8")).toBe(`start\n${lines.join("")}`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("is written while the run goes on", async () => {
    const { path, write } = begin(temporaryFolder());
    write("one\n");
    await until(() => existsSync(path) && readFileSync(path, "utf8") === "start\none\n");
    write("two\n");
    await until(() => readFileSync(path, "utf8") === "start\none\ntwo\n");
  });

  it("keeps that of the last run, and no other", async () => {
    const folder = temporaryFolder();
    for (const run of ["first", "second", "third"]) {
      const { file, write } = begin(folder);
      write(`${run}\n`);
      await file.close();
    }
    expect(readFileSync(join(folder, "dev.log"), "utf8")).toBe("start\nthird\n");
    expect(readFileSync(join(folder, "dev.log.1"), "utf8")).toBe("start\nsecond\n");
    expect(existsSync(join(folder, "dev.log.2"))).toBe(false);
  });

  it("begins anew where it is too long, and has lost nothing then", async () => {
    const { path, file, write } = begin(temporaryFolder(), { maxBytes: 64 });
    const line = `${"x".repeat(63)}\n`;
    write(line);
    await until(() => existsSync(path) && readFileSync(path, "utf8").endsWith(line));
    write("after\n");
    await until(() => existsSync(`${path}.1`) && existsSync(path));
    await file.close();
    expect(readFileSync(`${path}.1`, "utf8")).toBe(`start\n${line}`);
    expect(readFileSync(path, "utf8")).toBe("start\nafter\n");
  });

  it("is not written through a link in its place (CWE-59)", async () => {
    const folder = temporaryFolder();
    const victim = join(folder, "victim");
    writeFileSync(victim, "mine");
    await symlink(victim, join(folder, "dev.log"));
    const { path, file, write } = begin(folder);
    write("one\n");
    await file.close();
    expect(readFileSync(victim, "utf8")).toBe("mine");
    expect(readFileSync(path, "utf8")).toBe("start\none\n");
  });

  it("has what was left when the process ends at once, be a write under way or not", async () => {
    const folder = temporaryFolder();
    let begun: (() => void) | undefined;
    const writing = new Promise<void>((resolve) => (begun = resolve));
    const create = async (path: string): Promise<LogTarget> => {
      const real = await open(path, "wx", 0o600);
      onTestFinished(() => real.close());
      // What is under way at the end does not come to its end.
      return {
        fd: real.fd,
        close: async () => {},
        write: () => {
          begun?.();
          return new Promise(() => {});
        },
      };
    };
    const { path, file, write } = begin(folder, { create });
    await writing;
    write("last words\n");
    file.writeNow();
    expect(readFileSync(path, "utf8")).toBe("start\nlast words\n");
  });
});

describe("the log on a disk that does not take it", () => {
  it("tells once of a full one, goes on, and has all that fits once there is room", async (context) => {
    const folder = mountSmallDisk(context, { megabytes: 1 });
    const { path, file, problems, write } = begin(folder);
    await until(() => existsSync(path) && readFileSync(path, "utf8") === "start\n");
    const ballast = join(folder, "ballast");
    fill(ballast);
    const long = `${"x".repeat(100_000)}\n`;
    write(long);
    await until(() => problems.length > 0);
    const [problem] = problems;
    expect(problem).toBeInstanceOf(ChanctlError);
    expect(problem).toMatchObject({
      message: expect.stringContaining(`${path} cannot be used: ENOSPC`),
      hint: `make room on the disk of ${folder}`,
    });
    write("meanwhile\n");
    rmSync(ballast);
    await file.close();
    expect(readFileSync(path, "utf8")).toBe(`start\n${long}meanwhile\n`);
    expect(problems).toHaveLength(1);
  });

  it("tells once of a full one that stays full, and ends in time", async (context) => {
    const folder = mountSmallDisk(context, { megabytes: 1 });
    fill(join(folder, "ballast"));
    const { file, problems, write } = begin(folder);
    await until(() => problems.length > 0);
    write("lost\n");
    await file.close();
    file.writeNow();
    expect(problems).toHaveLength(1);
  });

  it("fills no memory with what it tries again and again", async () => {
    const tried: number[] = [];
    const target: LogTarget = {
      fd: -1,
      close: async () => {},
      write: async (_bytes, _offset, length) => {
        tried.push(length);
        throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      },
    };
    const { buffer, problems, write } = begin(temporaryFolder(), { retryMs: 1, create: async () => target });
    const line = "x".repeat(100_000);
    await until(() => {
      for (let count = 0; count < 50; count += 1) write(line);
      return tried.length >= 10;
    });
    expect(Math.max(...tried)).toBeLessThan(4_100_000);
    expect(buffer.chars).toBeLessThanOrEqual(4_000_000);
    expect(problems).toHaveLength(1);
  });

  it("tells once of a folder that is gone, with what to do", async () => {
    const folder = join(temporaryFolder(), "gone");
    const { file, problems, write } = begin(folder);
    write("lost\n");
    await until(() => problems.length > 0);
    await file.close();
    expect(problems).toEqual([
      expect.objectContaining({ hint: expect.stringContaining("start chanctl again") }),
    ]);
  });

  it("tells once of something else in its place", async () => {
    const folder = temporaryFolder();
    await mkdir(join(folder, "dev.log"));
    await mkdir(join(folder, "dev.log.1", "full"), { recursive: true });
    const { problems } = begin(folder);
    await until(() => problems.length > 0);
    expect(problems[0]).toBeInstanceOf(ChanctlError);
  });

  it("is not waited for where it hangs, and fills no memory", async () => {
    const target: LogTarget = { fd: -1, write: () => new Promise(() => {}), close: async () => {} };
    const { file, buffer, problems, write } = begin(temporaryFolder(), { create: async () => target });
    const line = "x".repeat(1_000);
    for (let count = 0; count < 20_000; count += 1) write(line);
    expect(buffer.chars).toBeLessThanOrEqual(4_000_000);
    await file.close();
    expect(problems).toEqual([]);
  });
});

/** Takes all the room that there is. */
function fill(path: string): void {
  const piece = Buffer.alloc(4_096);
  try {
    for (;;) writeFileSync(path, piece, { flag: "a" });
  } catch {}
}
