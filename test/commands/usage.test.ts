import { tmpdir } from "node:os";

import { describe, expect, it } from "vitest";

import { runCli } from "./cli.ts";

const cwd = tmpdir();

describe("chanctl", () => {
  it("prints its version", async () => {
    const { code, stdout, stderr } = await runCli(["--version"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([["--help"], ["-h"], ["help"]])("answers `%s tail` with the help of tail", async (ask) => {
    const help = await runCli(["tail", "--help"], { cwd });
    expect(await runCli([ask, "tail"], { cwd })).toEqual(help);
    expect(help.stdout).toContain("--no-follow");
  });

  it("answers `help help` with the help", async () => {
    expect(await runCli(["help", "help"], { cwd })).toEqual(await runCli(["--help"], { cwd }));
  });

  it("groups its commands in the help, with an example first and no telemetry last", async () => {
    const { code, stdout } = await runCli(["--help"], { cwd });
    expect(code).toBe(0);
    expect(stdout.indexOf("$ npx chanctl dev")).toBeLessThan(stdout.indexOf("Usage:"));
    expect(stdout).toMatch(/Start:\n\s+init .*\n\s+dev [^]*Channels:\n\s+channel [^]*No telemetry/);
  });

  it.each([
    ["init"],
    ["dev"],
    ["serve"],
    ["channel"],
    ["channel", "add"],
    ["channel", "list"],
    ["tail"],
    ["publish"],
    ["token"],
    ["token", "jwt"],
    ["token", "stream"],
    ["doctor"],
  ])("shows an example in the help of %s %s", async (...command) => {
    const { code, stdout } = await runCli([...command, "--help"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain(`$ chanctl ${command.join(" ")}`);
  });

  it.each([
    [["chanel"], "unknown command `chanel`", "did you mean `channel`?"],
    [["channel", "lst"], "unknown command `lst`", "did you mean `list`?"],
    [["dev", "--prot", "1"], "unknown option `--prot`", "did you mean `--port`?"],
    [["dev", "--json", "-p", "3000"], "unknown option `-p`", "chanctl dev --port 3000"],
    [["serve", "-p=80"], "unknown option `-p=80`", "chanctl serve --port 80"],
    [["dev", "-x"], "unknown option `-x`", "chanctl dev --help"],
    [
      ["dev", "--app-url", "http://localhost:3000"],
      "unknown option `--app-url`",
      "chanctl serve --app-url http://localhost:3000     `dev` starts the app itself",
    ],
    [
      ["dev", "--no-tls", "3000"],
      "what starts the app must follow `--`, got `3000` before it",
      "chanctl dev --port 3000 --no-tls",
    ],
    [["tial", "chat"], "unknown command `tial`", "did you mean `tail`?"],
    [["help", "tial"], "unknown command `tial`", "did you mean `tail`?"],
    [["stream", "raed", "--help"], "unknown command `raed`", "did you mean `read`?"],
    [["token", "wibble"], "unknown command `wibble`", "chanctl token --help"],
    [["--prot", "1", "dev"], "unknown option `--prot`", "chanctl dev --port     options follow the command"],
    [
      ["--json", "tail", "x"],
      "unknown option `--json`",
      "chanctl tail --json     options follow the command",
    ],
    [["DEV"], "unknown command `DEV`", "did you mean `dev`?"],
    [["version"], "unknown command `version`", "chanctl --version"],
    [
      ["tail", "chat", "--type", "--no-follow"],
      "`--type` needs a value, got the option `--no-follow`",
      "--type <type>",
    ],
    [["dev", "--app", "--json"], "`--app` needs a value, got the option `--json`", "--app <command>"],
    [["completion", "bsh"], "the shell must be bash, zsh or fish, got `bsh`", "did you mean `bash`?"],
    [["tail"], "the channel's name is missing", "chanctl channel list     shows the channels"],
    [["channel", "add"], "missing required argument `name`", "chanctl channel add --help"],
    [["dev", "--port"], "option `--port <port>` argument missing", "chanctl dev --help"],
    [["dev", "--port", "http"], "`--port` must be a port from 0 to 65535, got `http`", "--port 4433"],
    [
      ["tail", "chat", "--since", "2999-01-01"],
      "`--since` must be a time that has passed, got `2999-01-01`",
      "--since 10m     or leave it out to begin now",
    ],
    [
      ["stream", "create", "jobs", "--ttl", "3x"],
      "`--ttl` must be whole seconds such as `24h`, got `3x`",
      "--ttl 24h",
    ],
    [
      ["channel", "add", "news", "--param", "Room!:string"],
      "the param `Room!` must be letters, digits and `_`, not beginning with a digit",
      "--param room:string",
    ],
    [
      ["dev", "--app", "a", "--", "b"],
      "`--app` and a command after `--` exclude each other",
      "give one of them",
    ],
    [
      ["dev", "next", "dev", "--turbo"],
      "what starts the app must follow `--`, got `next` before it",
      'chanctl dev -- next dev --turbo\n       chanctl dev --app "next dev --turbo"     where the shell or npm takes the `--` away',
    ],
    [
      ["dev", "--host", "--port=0", "my app", "--", "--turbo"],
      "what starts the app must follow `--`, got `my app` before it",
      `chanctl dev --host --port=0 -- 'my app' --turbo\n       chanctl dev --host --port=0 --app "'my app' --turbo"     where the shell or npm takes the \`--\` away`,
    ],
    [
      ["dev", "--port", "0", "."],
      "what starts the app must follow `--`, got `.` before it",
      "chanctl dev --port 0",
    ],
    [
      ["serve", "--cert", "c.pem"],
      "a certificate and its key go together, got `--cert` alone",
      "give `--key` too",
    ],
  ])("answers %j with exit 2, what is wrong and a fix", async (args, message, fix) => {
    const { code, stdout, stderr } = await runCli(args, { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(`error: ${message}\n  fix: ${fix}\n`);
  });

  it("colours errors where the environment asks for it, and NO_COLOR wins", async () => {
    const colored = await runCli(["chanel"], { cwd, env: { FORCE_COLOR: "1" } });
    expect(colored.stderr).toContain("\u001B[31merror:\u001B[39m");
    const plain = await runCli(["chanel"], { cwd, env: { FORCE_COLOR: "1", NO_COLOR: "1" } });
    expect(plain.stderr).toMatch(/^error: /);
  });
});
