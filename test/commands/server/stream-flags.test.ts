import { Command } from "commander";
import { describe, expect, it } from "vitest";

import { addStreamFlags, toStreamSettings } from "#src/commands/server/stream-flags.ts";
import { resolveOptions } from "#src/server/resolve-options.ts";

function resolve(args: readonly string[], env: Readonly<Record<string, string>> = {}): unknown {
  const command = addStreamFlags(new Command()).exitOverride().parse(args, { from: "user" });
  const durableStreams = { skipAuth: true, publicStreams: true, publicWrites: true };
  return resolveOptions({
    flags: toStreamSettings(command.opts()),
    env,
    config: { path: "chanctl.config.ts", value: { durableStreams }, source: "" },
    root: "/shop",
    cwd: "/shop",
  }).durableStreams;
}

describe("what the config turns on", () => {
  const on = { skipsAuthentication: true, publicStreams: true, publicWrites: true };

  it("stays on without a flag", () => {
    expect(resolve([])).toMatchObject(on);
  });

  it.each([
    ["--no-ds-skip-auth", "skipsAuthentication"],
    ["--no-public-streams", "publicStreams"],
    ["--no-public-writes", "publicWrites"],
  ])("is turned off by %s, and nothing else is", (flag, name) => {
    expect(resolve([flag])).toMatchObject({ ...on, [name]: false });
  });

  it("is turned off by --no-ds altogether, a variable notwithstanding", () => {
    expect(resolve(["--no-ds"], { CHANCTL_DS: "true" })).toBeUndefined();
  });
});

it("lists the opposite of a flag in the row below it", () => {
  const help = addStreamFlags(new Command()).helpInformation();
  const rows = [...help.matchAll(/^ {2}(--(?:no-)?(?:ds|ds-skip-auth|public-\w+)) /gm)].map(
    ([, flag]) => flag,
  );
  const flags = ["--ds", "--ds-skip-auth", "--public-streams", "--public-writes"];
  expect(rows).toEqual(flags.flatMap((flag) => [flag, flag.replace("--", "--no-")]));
});
