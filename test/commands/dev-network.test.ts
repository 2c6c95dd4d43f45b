import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { privateNetwork } from "../support/private-network.ts";
import { requirePrograms } from "../support/requires.ts";
import { Terminal } from "../support/terminal.ts";
import { RunningCli } from "./cli.ts";
import { startDev } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

const HOME = "192.168.77.5";
const CAFE = "192.168.99.7";
const CODE = /[▀▄█]{8}/;

function phonePage(address: string): string {
  return `http://${address}:4433/_chanctl/phone`;
}

describe("`dev --host` on a machine that goes from one network to another", () => {
  it("tells programs the phone's page and the CA's fingerprint, and the new one once the certificate is for it", async (context) => {
    const network = await privateNetwork(context, HOME);
    await using project = await makeProject();
    const command = ["dev", "--host", "--port", "4433"];
    await using dev = await startDev(project, { command, words: network.words });
    const { fingerprint256: caFingerprint } = new X509Certificate(await readFile(dev.ready.caPath ?? ""));
    const access = (address: string) => ({
      urls: [`https://${address}:4433`],
      phoneUrl: phonePage(address),
      caFingerprint,
    });
    expect(dev.ready.network).toEqual(access(HOME));
    const told = () =>
      dev.cli.lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "network");

    await network.move(dev.ready.pid, { address: CAFE });
    await dev.cli.until(() => told().length === 1);
    const leaf = await readFile(join(project.root, "home/leaves/shop.pem"));
    expect(new X509Certificate(leaf).checkIP(CAFE)).toBe(CAFE);
    expect(told()[0]).toMatchObject({
      ...access(CAFE),
      level: "info",
      message: `the network has changed: https://${CAFE}:4433`,
    });

    await network.move(dev.ready.pid, { address: undefined });
    await dev.cli.until(() => told().length === 2); // no certificate changes for this
    expect(told()[1]).toMatchObject({ urls: [] });
    expect(told()[1]).not.toHaveProperty("phoneUrl");
  });

  it("prints the same as lines where there is no terminal, with TLS and without", async (context) => {
    const network = await privateNetwork(context, HOME);
    await using project = await makeProject();
    const options = {
      cwd: project.root,
      env: { CHANCTL_HOME: `${project.root}/home` },
      words: network.words,
    };
    await using plain = new RunningCli(["dev", "--host", "--port", "4433", "--no-tls"], options);
    await plain.until(({ stdout }) => stdout.includes(`  network   http://${HOME}:4433\n`));
    await network.move(plain.child.pid ?? Number.NaN, { address: CAFE });
    await plain.until(({ stdout }) => stdout.includes(`the network has changed: http://${CAFE}:4433\n`));
    await plain.end();
    await using dev = new RunningCli(["dev", "--host", "--port", "4433"], options);
    await dev.until(({ stdout }) => /fingerprint there: .*\n/.test(stdout));
    const { fingerprint256 } = new X509Certificate(await readFile(join(project.root, "home/ca.pem")));
    expect(dev.stdout).toContain(`  phone     ${phonePage(HOME)}\n`);
    expect(dev.stdout).toContain(`there: ${fingerprint256}\n`);
  });

  it("shows the code again for `i`, and the new one as soon as the old one is dead", async (context) => {
    requirePrograms(context, "tmux", "bash");
    const network = await privateNetwork(context, HOME);
    await using project = await makeProject();
    await using terminal = await Terminal.open({
      cwd: project.root,
      env: { CHANCTL_HOME: join(project.root, "home") },
      shell: [...network.words, "bash", "--norc", "--noprofile", "-i"],
    });
    await terminal.enter(`clear; ${process.execPath} ${CLI} dev --host --port 4433 --no-trust`);
    await terminal.untilLastLine("h help");
    expect(await terminal.screen()).toContain(phonePage(HOME));
    await terminal.press("c");
    await terminal.until((screen) => !screen.includes(phonePage(HOME)));
    const info = await terminal.pressUntil("i", phonePage(HOME));
    expect(info).toContain(`  network   https://${HOME}:4433\n`);
    expect(info).toMatch(CODE);
    expect(info).toContain("compare the CA's fingerprint there:");

    await terminal.press("c");
    await terminal.until((screen) => !screen.includes(phonePage(HOME)));
    const pid = await terminal.shellPid();
    await network.move(pid, { address: CAFE });
    const changed = await terminal.untilShows(phonePage(CAFE));
    expect(changed).toContain(`the network has changed: https://${CAFE}:4433\n`);
    expect(changed).toMatch(CODE);

    await terminal.press("q");
    await terminal.untilLastLine("ready>");
  });
});
