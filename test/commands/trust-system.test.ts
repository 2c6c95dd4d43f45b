import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it, onTestFinished } from "vitest";

import {
  type AuthorityCertificate,
  readAuthorityCertificate,
} from "#src/certs/trust/authority-certificate.ts";

import { privateSystem } from "../support/private-system.ts";
import { requirePrograms, skipOrFail } from "../support/requires.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const ANCHORS = "/usr/local/share/ca-certificates";
const JAVA_HOOK = "/etc/ca-certificates/update.d/jks-keystore";
const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

async function readAuthority(home: string): Promise<AuthorityCertificate> {
  const authority = await readAuthorityCertificate(join(home, ".config/chanctl/ca.pem"));
  if (authority === undefined) throw new Error(`${home} has no CA`);
  return authority;
}

async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "chanctl-home-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  return home;
}

describe("chanctl trust, for the system's store", () => {
  it("lets curl accept a server of the CA, and is undone without a trace", async (context) => {
    const system = await privateSystem(context);
    const before = { anchors: await readdir(ANCHORS), bundle: await readFile(BUNDLE, "utf8") };
    const trust = `"${process.execPath}" "${CLI}" trust --store system --json`;
    const { stdout } = await system.script(
      `cat ${BUNDLE} | md5sum; ls /etc/ssl/certs | md5sum
       for arguments in "" "" --status --uninstall --status; do ${trust} $arguments; echo "exit $?"; done
       cat ${BUNDLE} | md5sum; ls /etc/ssl/certs | md5sum; ls ${ANCHORS}`,
      { HOME: await newHome(), CHANCTL_HOME: "", XDG_CONFIG_HOME: "" },
    );
    const trusted = { store: "system", kind: "system", place: ANCHORS, state: "trusted", verifiedBy: "curl" };
    const lines = stdout.trim().split("\n");
    const [bundleBefore, linksBefore, ...rest] = lines;
    const rows = rest.slice(0, 10).map((line) => (line.startsWith("{") ? JSON.parse(line) : line));
    expect(rows.filter((row) => typeof row === "string").join(", ")).toBe(
      "exit 0, exit 0, exit 0, exit 0, exit 1",
    );
    expect(rows.filter((row) => typeof row !== "string")).toMatchObject([
      trusted,
      trusted,
      trusted,
      { state: "untrusted", removed: [expect.stringMatching(/^chanctl local CA [0-9a-f]{8}$/)] },
      { state: "untrusted" },
    ]);
    const [bundleAfter, linksAfter, ...anchors] = rest.slice(10);
    expect([bundleAfter, linksAfter, anchors]).toEqual([bundleBefore, linksBefore, before.anchors]);
    expect({ anchors: await readdir(ANCHORS), bundle: await readFile(BUNDLE, "utf8") }).toEqual(before);
  });

  it("is changed as root whose PATH is a user's, as after `su` without `-`", async (context) => {
    const system = await privateSystem(context);
    const tools = dirname(process.execPath);
    const { stdout } = await system.script(
      `for arguments in "" --uninstall; do
         PATH=${tools}:/usr/bin:/bin "${process.execPath}" "${CLI}" trust --store system $arguments; echo "exit $?"
       done`,
      { HOME: await newHome(), CHANCTL_HOME: "", XDG_CONFIG_HOME: "" },
    );
    expect(stdout).toMatch(
      /✓ system +trusted, verified[^]*exit 0[^]*✓ system +not trusted[^]*taken out[^]*exit 0/,
    );
  });

  it("takes out what the system's tool has copied for Java, after an earlier run too", async (context) => {
    requirePrograms(context, "keytool");
    if (!existsSync(JAVA_HOOK)) skipOrFail(context, "needs ca-certificates-java");
    const system = await privateSystem(context);
    const trust = `"${process.execPath}" "${CLI}" trust --store system --json`;
    const count = "keytool -list -cacerts -storepass changeit 2>/dev/null | grep -c chanctl";
    const { stdout } = await system.script(
      `${count}; ${trust}; ${count}; ${trust} --uninstall; ${count}
       ${trust}; rm $(ls -t ${ANCHORS}/chanctl-* | head -1); update-ca-certificates --fresh >/dev/null 2>&1
       ${count}; ${trust} --status; ${trust} --uninstall; ${count}`,
      { HOME: await newHome(), CHANCTL_HOME: "", XDG_CONFIG_HOME: "", JAVA_HOME: "" },
    );
    const [none, first, copied, second, gone, third, left, status, fourth, cleared] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect({ copied, gone, left, cleared }).toEqual({
      copied: none + 1,
      gone: none,
      left: none + 1,
      cleared: none,
    });
    expect([first, second, third, status, fourth]).toMatchObject([
      { state: "trusted" },
      { state: "untrusted", removed: [expect.stringContaining("chanctl local CA")] },
      { state: "trusted" },
      { state: "untrusted", reason: "only Java trusts it still, by /etc/ssl/certs/java/cacerts" },
      { state: "untrusted", removed: second.removed },
    ]);
  }, 120_000);

  it("keeps the CA of another user, and names it, unless `--all` is said", async (context) => {
    const system = await privateSystem(context);
    const [ada, bob] = [await newHome(), await newHome()];
    const trust = `"${process.execPath}" "${CLI}" trust --store system --json`;
    const { stdout } = await system.script(
      `HOME=${ada} ${trust}; HOME=${bob} ${trust}; export HOME=${ada}; ${trust} --uninstall --yes; echo "[$?]"
       HOME=${bob} ${trust} --status; ${trust} --uninstall --all; echo "[$?]"; HOME=${bob} ${trust} --status`,
      { CHANCTL_HOME: "", XDG_CONFIG_HOME: "" },
    );
    const [, , kept, keptExit, ofBob, taken, takenExit, after] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const { name, sha1 } = await readAuthority(bob);
    expect(kept).toMatchObject({
      state: "untrusted",
      removed: [(await readAuthority(ada)).name],
      others: expect.arrayContaining([{ name, sha1 }]),
      fix: expect.stringMatching(/^chanctl trust --uninstall --all --store system/),
    });
    expect(ofBob).toMatchObject({ state: "trusted", verifiedBy: "curl" });
    expect(taken.removed).toContain(name);
    expect(after).toMatchObject({ state: "untrusted" });
    expect([keptExit, takenExit]).toEqual([[0], [0]]);
  }, 120_000);

  it("runs nothing as root that nobody allowed: without a terminal it shows the line and exits 4", async (context) => {
    const system = await privateSystem(context);
    const home = await newHome();
    // Some other user of this machine, who has no password to give.
    const asNobody = `setpriv --reuid=65534 --regid=65534 --clear-groups`;
    const { stdout } = await system.script(
      `chown 65534 "${home}"; ls ${ANCHORS} | md5sum
       ${asNobody} "${process.execPath}" "${CLI}" trust --store system --json; echo "exit $?"; ls ${ANCHORS} | md5sum
       PATH=/usr/bin:/bin ${asNobody} "${process.execPath}" "${CLI}" trust --store system --yes; echo "exit $?"`,
      { HOME: home, CHANCTL_HOME: "", XDG_CONFIG_HOME: "" },
    );
    const [before, row = "", exit, after, ...withYes] = stdout.trim().split("\n");
    expect(JSON.parse(row)).toMatchObject({
      state: "untrusted",
      fix: expect.stringMatching(
        /\/usr\/bin\/install -D -m 644 \S+\/ca\.pem \/usr\/local\S+ && (sudo )?\/usr\/sbin\/update-ca-certificates/,
      ),
    });
    expect({ exit, after }).toEqual({ exit: "exit 4", after: before });
    // A yes is no password: sudo refuses, or is not there, and the line to run is shown.
    expect(withYes.join("\n")).toMatch(/could not add the CA to the system's store[^]*fix: su[^]*exit 1$/);
  });
});
