import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { listNssAuthorities } from "#src/certs/trust/nss-database.ts";

import { requirePrograms } from "../support/requires.ts";
import { Terminal } from "../support/terminal.ts";
import { makeProject } from "./temp-project.ts";
import { runCli } from "./cli.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const UNINSTALL = `${process.execPath} ${CLI} trust --uninstall --store nss; echo code $?`;

/** Somebody at a terminal, whose Chromium trusts their CA, and one of a config folder that is gone. */
async function sitDown() {
  const project = await makeProject({});
  onTestFinished(() => project[Symbol.asyncDispose]());
  const home = join(project.root, "person");
  await mkdir(home);
  const unset = { CHANCTL_HOME: "", XDG_CONFIG_HOME: "", XDG_DATA_HOME: "", JAVA_HOME: "" };
  const env = { ...unset, HOME: home, HISTFILE: "/dev/null" };
  const caPath = join(home, ".config/chanctl/ca.pem");
  const held = () => listNssAuthorities(join(home, ".pki/nssdb")).map(({ name, sha1 }) => ({ name, sha1 }));
  const trust = () => runCli(["trust", "--store", "nss"], { cwd: project.root, env });
  await trust();
  const [other] = held();
  await rm(dirname(caPath), { recursive: true });
  await trust();
  if (other === undefined) throw new Error("nothing was added");
  const terminal = await Terminal.open({ cwd: project.root, env });
  onTestFinished(() => terminal[Symbol.asyncDispose]());
  await terminal.enter(`clear; ${UNINSTALL}`);
  const asked = await terminal.untilShows("Take them out too?");
  expect(asked).toMatch(new RegExp(`${other.name} +Chromium\\s+SHA-1 ${other.sha1}`));
  return { terminal, other, held };
}

describe("chanctl trust --uninstall, on a terminal, where another CA of chanctl lies", () => {
  beforeEach((context) => requirePrograms(context, "tmux", "bash", "certutil"));

  it("names it with its fingerprint, and keeps it on a no, which is the default", async () => {
    const { terminal, other, held } = await sitDown();
    await terminal.press("Enter");
    expect(await terminal.untilShows("code 0")).toContain("no store of nss holds your CA; others are left");
    expect(held()).toEqual([other]);
  });

  it("takes it out on a yes", async () => {
    const { terminal, held } = await sitDown();
    await terminal.press("y");
    expect(await terminal.untilShows("code 0")).toContain("no store of nss holds a CA of chanctl");
    expect(held()).toEqual([]);
  });

  it("changes nothing on Ctrl-C", async () => {
    const { terminal, held } = await sitDown();
    await terminal.press("C-c");
    await terminal.untilShows("code 130");
    expect(held()).toHaveLength(2);
  });
});
