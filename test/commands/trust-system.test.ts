import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it, onTestFinished } from "vitest";

import { privateSystem } from "../support/private-system.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const ANCHORS = "/usr/local/share/ca-certificates";
const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

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
    expect(rows.filter((row) => typeof row !== "string")).toEqual([
      trusted,
      trusted,
      trusted,
      {
        ...trusted,
        state: "untrusted",
        verifiedBy: undefined,
        removed: [expect.stringMatching(/^chanctl local CA [0-9a-f]{8}$/)],
      },
      expect.objectContaining({ state: "untrusted" }),
    ]);
    const [bundleAfter, linksAfter, ...anchors] = rest.slice(10);
    expect([bundleAfter, linksAfter, anchors]).toEqual([bundleBefore, linksBefore, before.anchors]);
    expect({ anchors: await readdir(ANCHORS), bundle: await readFile(BUNDLE, "utf8") }).toEqual(before);
  });

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
        /install -D -m 644 \S+\/ca\.pem \/usr\/local\S+ && (sudo |\/usr\/sbin\/)update-ca-certificates/,
      ),
    });
    expect({ exit, after }).toEqual({ exit: "exit 4", after: before });
    // A yes is no password: sudo refuses, or is not there, and the line to run is shown.
    expect(withYes.join("\n")).toMatch(/could not add the CA to the system's store[^]*fix: su[^]*exit 1$/);
  });
});
