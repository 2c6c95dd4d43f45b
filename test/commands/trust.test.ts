import { execFile } from "node:child_process";
import { once } from "node:events";
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { loadAuthority } from "#src/certs/authority.ts";
import { makeLeaf } from "#src/certs/make-leaf.ts";

import { launchChromium, requireChromium } from "../support/chromium.ts";
import { findProgram, requirePrograms } from "../support/requires.ts";
import { type CliResult, runCli } from "./cli.ts";

const run = promisify(execFile);

interface Row {
  readonly store: string;
  readonly kind: string;
  readonly place: string;
  readonly state: string;
  readonly verifiedBy?: string;
  readonly reason?: string;
  readonly fix?: string;
  readonly note?: string;
  readonly others?: readonly { readonly name: string; readonly sha1: string }[];
  readonly removed?: readonly string[];
}

interface Person {
  readonly home: string;
  readonly caPath: string;
  /** Runs `chanctl trust` as them. */
  trust(...args: readonly string[]): Promise<CliResult & { readonly rows: readonly Row[] }>;
  certutil(folder: string, ...args: readonly string[]): Promise<string>;
}

/** Somebody with an empty home folder. */
async function newPerson(env: Readonly<Record<string, string>> = {}): Promise<Person> {
  const home = await mkdtemp(join(tmpdir(), "chanctl-trust-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const its = { HOME: home, XDG_CONFIG_HOME: "", XDG_DATA_HOME: "", CHANCTL_HOME: "", JAVA_HOME: "", ...env };
  return {
    home,
    caPath: join(home, ".config/chanctl/ca.pem"),
    async trust(...args) {
      const result = await runCli(["trust", ...args], { cwd: home, env: its });
      const isJson = args.includes("--json");
      return {
        ...result,
        rows: isJson
          ? result.stdout
              .trim()
              .split("\n")
              .map((line) => JSON.parse(line))
          : [],
      };
    },
    certutil: async (folder, ...args) => (await run("certutil", ["-d", `sql:${folder}`, ...args])).stdout,
  };
}

/** A CA of somebody who likes the name. */
async function addFriend(ada: Person, folder: string): Promise<void> {
  const [key, certificate] = [join(ada.home, "key.pem"), join(ada.home, "friend.pem")];
  const subject = "/CN=chanctl local CA of ada/O=chanctl";
  const output = ["-keyout", key, "-out", certificate];
  await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", subject].concat(output));
  await ada.certutil(folder, "-A", "-t", "C,,", "-n", "a friend's", "-i", certificate);
}

async function makeProfile(home: string, name: string): Promise<string> {
  const folder = join(home, ".mozilla/firefox", name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "times.json"), "{}");
  return folder;
}

/** A server with a leaf of somebody's CA. */
async function serveLeafOf({ caPath }: Person): Promise<{ readonly port: number }> {
  const authority = await loadAuthority({ home: dirname(caPath), now: Date.now() });
  const hosts = ["localhost", "127.0.0.1"];
  const leaf = await makeLeaf({ commonName: "localhost", hosts, authority: authority.pair, now: Date.now() });
  const server = createServer({ cert: leaf.chainPem, key: leaf.keyPem }, (_, response) => response.end("ok"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { port: address.port };
}

describe("chanctl trust, for the browsers of a fresh user", () => {
  beforeEach((context) => requirePrograms(context, "certutil", "openssl"));

  it("makes the CA and Chromium's database, adds the one to the other and to every Firefox profile", async () => {
    const ada = await newPerson();
    const profiles = [await makeProfile(ada.home, "a.default"), await makeProfile(ada.home, "b.work")];
    const { code, rows } = await ada.trust("--store", "nss,firefox", "--json");
    expect(code).toBe(0);
    const trusted = { state: "trusted", verifiedBy: "tstclnt" };
    expect(rows).toEqual([
      { store: "Chromium", kind: "nss", place: join(ada.home, ".pki/nssdb"), ...trusted },
      ...profiles.map((place) => ({ store: "Firefox", kind: "firefox", place, ...trusted })),
    ]);
    expect((await stat(ada.caPath)).mode & 0o777).toBe(0o600);
    expect((await stat(join(ada.home, ".pki/nssdb"))).mode & 0o777).toBe(0o700);
  });

  it("twice is as good as once", async () => {
    const ada = await newPerson();
    await ada.trust("--store", "nss");
    const { code, stdout } = await ada.trust("--store", "nss");
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining("the Chromium store trusts the CA"),
    });
    const listing = await ada.certutil(join(ada.home, ".pki/nssdb"), "-L");
    expect(listing.match(/chanctl local CA/g)).toHaveLength(1);
  });

  it("proves it by a handshake with the database, and by `certutil` alone where there is no `tstclnt`", async () => {
    const tools = await mkdtemp(join(tmpdir(), "chanctl-tools-"));
    onTestFinished(() => rm(tools, { recursive: true, force: true }));
    await symlink(findProgram("certutil") ?? "", join(tools, "certutil"));
    const ada = await newPerson();
    expect((await ada.trust("--store", "nss")).stdout).toContain("trusted, verified by handshake");
    const bob = await newPerson({ PATH: tools });
    expect((await bob.trust("--store", "nss")).stdout).toContain("trusted, verified by certutil");
  });

  it("leaves a database that is there as it is, but for the CA", async () => {
    const ada = await newPerson();
    const folder = join(ada.home, ".local/share/pki/nssdb");
    await mkdir(folder, { recursive: true });
    await ada.certutil(folder, "-N", "--empty-password");
    await addFriend(ada, folder);
    await ada.trust("--store", "nss");
    expect(await ada.certutil(folder, "-L")).toMatch(/a friend's +C,,[^]*chanctl local CA/);
    await expect(stat(join(ada.home, ".pki"))).rejects.toMatchObject({ code: "ENOENT" });
    await ada.trust("--uninstall", "--store", "nss");
    const left = await ada.certutil(folder, "-L");
    expect(left).toContain("a friend's");
    expect(left).not.toContain("chanctl local CA");
  });

  it("names the CA of a config folder that is gone, takes it out, whatever it is called, and nobody else's", async () => {
    const ada = await newPerson();
    await ada.trust("--store", "nss");
    const folder = join(ada.home, ".pki/nssdb");
    const [gone = ""] = /chanctl local CA \w+/.exec(await ada.certutil(folder, "-L")) ?? [];
    await ada.certutil(folder, "--rename", "-n", gone, "--new-n", "by hand");
    await addFriend(ada, folder);
    await rm(dirname(ada.caPath), { recursive: true });
    const own = (await ada.trust("--store", "nss")).stdout.split("  ", 1)[0];
    const status = await ada.trust("--status", "--store", "nss", "--json");
    expect(status.rows).toEqual([
      expect.objectContaining({
        state: "trusted",
        others: [{ name: gone, sha1: expect.stringMatching(/^[0-9A-F]{40}$/) }],
        fix: expect.stringMatching(/^chanctl trust --uninstall --all --store nss {4}/),
      }),
    ]);
    await rm(dirname(ada.caPath), { recursive: true });
    const kept = await ada.trust("--uninstall", "--store", "nss");
    expect({ code: kept.code, stdout: kept.stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /not yours: chanctl local CA[^]*--uninstall --all[^]*you have no CA; others are left: see fix/,
      ),
    });
    const { code, rows } = await ada.trust("--uninstall", "--all", "--store", "nss", "--json");
    expect({ code, removed: new Set(rows[0]?.removed) }).toEqual({ code: 0, removed: new Set([gone, own]) });
    expect((await ada.certutil(folder, "-L")).match(/by hand|chanctl local|a friend's/g)).toEqual([
      "a friend's",
    ]);
    expect((await ada.trust("--uninstall", "--store", "nss")).stdout).toContain("nothing to take out");
  });

  it("says first how to be trusted where only another CA of chanctl is", async () => {
    const ada = await newPerson();
    await ada.trust("--store", "nss");
    await rm(dirname(ada.caPath), { recursive: true });
    await ada.trust("--store", "firefox"); // makes another CA
    const { code, rows } = await ada.trust("--status", "--store", "nss", "--json");
    expect({ code, state: rows[0]?.state }).toEqual({ code: 1, state: "untrusted" });
    expect(rows[0]?.fix).toMatch(/^chanctl trust --store nss\nchanctl trust --uninstall --all /);
  });

  it("takes out the own CA by what lies beside its key where `ca.pem` is gone", async () => {
    const ada = await newPerson();
    await ada.trust("--store", "nss");
    await rm(ada.caPath);
    const { code, rows } = await ada.trust("--uninstall", "--store", "nss", "--json");
    expect(code).toBe(0);
    expect(rows).toEqual([expect.objectContaining({ state: "untrusted", removed: [expect.any(String)] })]);
    expect(rows[0]?.others).toBeUndefined();
  });

  it("speaks of the kinds that were looked at, and says which were not", async () => {
    const ada = await newPerson();
    const added = (await ada.trust("--store", "nss,java")).stdout;
    expect(added).toMatch(
      /the Chromium store trusts the CA.*\njava was not looked at: JAVA_HOME is not set\n$/,
    );
    const undone = (await ada.trust("--uninstall", "--store", "nss,java")).stdout;
    expect(undone).toMatch(
      /no store of nss holds a CA of chanctl\njava was not looked at: JAVA_HOME is not set\n$/,
    );
    expect((await ada.trust("--uninstall", "--store", "java")).stdout).toMatch(
      /no store of java was found on this machine \(java: .*JAVA_HOME[^]*nothing was looked at/,
    );
  });

  it("says what to install where `certutil` is missing, and exits 1", async () => {
    const tools = await mkdtemp(join(tmpdir(), "chanctl-tools-"));
    onTestFinished(() => rm(tools, { recursive: true, force: true }));
    await symlink(process.execPath, join(tools, "chromium")); // any program: it is only looked for
    const ada = await newPerson({ PATH: tools });
    const { code, rows } = await ada.trust("--store", "nss", "--json");
    expect(code).toBe(1);
    expect(rows).toEqual([expect.objectContaining({ state: "blocked", fix: expect.stringMatching(/nss/) })]);
  });

  it("says why, and goes on with the next store, where a database is damaged", async () => {
    const ada = await newPerson();
    const profile = await makeProfile(ada.home, "a.default");
    await writeFile(join(profile, "cert9.db"), "scribble");
    const { code, rows } = await ada.trust("--store", "nss,firefox", "--json");
    expect(code).toBe(1);
    expect(rows.map(({ state }) => state)).toEqual(["trusted", "unreadable"]);
    expect(rows[1]?.reason).toMatch(/^could not add the CA to .*a\.default: certutil: .*SEC_ERROR/);
    expect(rows[1]?.fix).toMatch(/^mv (\S+cert9\.db) \1\.damaged/);
    const undone = await ada.trust("--uninstall", "--store", "firefox", "--json"); // it may hold the CA
    expect({ code: undone.code, state: undone.rows[0]?.state }).toEqual({ code: 1, state: "unreadable" });
    expect(undone.rows[0]).toMatchObject({ reason: expect.stringContaining("NOTADB"), fix: rows[1]?.fix });
    await rename(join(profile, "cert9.db"), join(profile, "cert9.db.damaged"));
    expect((await ada.trust("--store", "firefox")).code).toBe(0);
  });

  it("leaves a profile with a primary password as it was, and says what to do", async () => {
    const ada = await newPerson();
    const profile = await makeProfile(ada.home, "a.default");
    await writeFile(join(ada.home, "password"), "secret\n");
    await ada.certutil(profile, "-N", "-f", join(ada.home, "password"));
    const { code, rows } = await ada.trust("--store", "firefox", "--json");
    expect(code).toBe(1);
    expect(rows).toEqual([
      expect.objectContaining({
        state: "untrusted",
        reason: expect.stringContaining("SEC_ERROR_BAD_PASSWORD"),
        fix: expect.stringMatching(/^\S*certutil -d sql:\S+ -A .*ca\.pem {4}.*primary password/),
      }),
    ]);
    expect(await ada.certutil(profile, "-L")).not.toContain("chanctl");
  });

  it("says which Firefox must be restarted, and only where one runs", async () => {
    const ada = await newPerson();
    const [running, killed] = [
      await makeProfile(ada.home, "a.default"),
      await makeProfile(ada.home, "b.work"),
    ];
    await symlink(`127.0.1.1:+${process.pid}`, join(running, "lock"));
    await symlink("127.0.1.1:+4194305", join(killed, "lock")); // no Linux has such a process
    const { rows } = await ada.trust("--store", "firefox", "--json");
    expect(rows.map(({ note }) => note)).toEqual([
      expect.stringContaining(`restart Firefox (pid ${process.pid})`),
      undefined,
    ]);
  });

  it("says that a running Chromium keeps to a warning that it has shown, and it does", async (context) => {
    requireChromium(context);
    const ada = await newPerson();
    const made = await ada.trust("--store", "nss", "--json"); // and takes it out: the CA is there, trusted by nobody
    await ada.trust("--uninstall", "--store", "nss");
    expect(made.rows.map(({ note }) => note)).toEqual([undefined]);
    const server = await serveLeafOf(ada);
    const chromium = await launchChromium({ home: ada.home });
    try {
      const page = await chromium.browser.newPage();
      const load = async (host: string) => (await page.goto(`https://${host}:${server.port}/`))?.status();
      await expect(load("localhost")).rejects.toThrow("ERR_CERT_AUTHORITY_INVALID");
      const { rows } = await ada.trust("--store", "nss", "--json");
      expect(rows[0]?.note).toMatch(/^restart Chromium \(pid \d+\) if it has shown the warning already/);
      await expect(load("localhost")).rejects.toThrow("ERR_CERT_AUTHORITY_INVALID");
      expect((await ada.trust("--uninstall", "--store", "nss", "--json")).rows[0]?.note).toMatch(
        /^restart Chromium/,
      );
    } finally {
      await chromium.close();
    }
    await ada.trust("--uninstall", "--store", "nss");
    await expect(stat(join(ada.home, ".pki"))).rejects.toMatchObject({ code: "ENOENT" });
  }, 60_000);

  it("notices that the trust of a certificate was taken away, and gives it back", async () => {
    const ada = await newPerson();
    await ada.trust("--store", "nss");
    const folder = join(ada.home, ".pki/nssdb");
    const [name = ""] = /chanctl local CA \w+/.exec(await ada.certutil(folder, "-L")) ?? [];
    await ada.certutil(folder, "-M", "-n", name, "-t", ",,");
    const status = await ada.trust("--status", "--store", "nss", "--json");
    expect({ code: status.code, state: status.rows[0]?.state }).toEqual({ code: 1, state: "untrusted" });
    expect((await ada.trust("--store", "nss")).code).toBe(0);
  });
});

describe("chanctl trust --status", () => {
  it("makes nothing, and says so where no CA has been made", async () => {
    const ada = await newPerson();
    const { code, stdout } = await ada.trust("--status");
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("no CA has been made yet") });
    expect(await readdir(ada.home)).toEqual([]);
  });

  it("finds a CA that has ended, so that it can be taken out", async (context) => {
    requirePrograms(context, "certutil");
    const ada = await newPerson();
    await ada.trust("--store", "nss");
    await rm(join(dirname(ada.caPath), "ca-key.pem")); // as good as ended: it can sign nothing any more
    const { stdout } = await ada.trust("--status", "--store", "nss");
    expect(stdout).toMatch(/the local CA cannot be used: .*ca-key\.pem is missing[^]*✓ Chromium +trusted/);
    expect((await ada.trust("--uninstall", "--store", "nss")).code).toBe(0);
  });
});

describe("chanctl trust, wrongly used", () => {
  it.each([
    [["--uninstall", "--status"], /exclude each other/],
    [["--all"], /`--all` says what `--uninstall` takes out[^]*fix: chanctl trust --uninstall --all/],
    [
      ["--store", "firefx"],
      /`--store` must name system, nss, firefox or java, got `firefx`\n.*did you mean `firefox`/,
    ],
  ])("refuses %j, exit 2", async (args, message) => {
    const { code, stderr } = await (await newPerson()).trust(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it.runIf(process.getuid?.() === 0)("says whose CA it is about when it is run through sudo", async () => {
    const { stderr } = await (await newPerson({ SUDO_USER: "ada" })).trust("--status");
    expect(stderr).toContain("of root, not of ada: leave sudo out");
  });

  it("says which folder cannot be written", async () => {
    const ada = await newPerson();
    await writeFile(join(ada.home, ".config"), "a file");
    const { code, stderr } = await ada.trust("--store", "nss");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: cannot (read|write) .*\.config\/chanctl[^]*export CHANCTL_HOME=<folder>/);
    expect(stderr).not.toContain("chanctl dev");
  });
});

describe("chanctl trust, for the Java of JAVA_HOME", () => {
  it("adds the CA, proves it by a handshake or lists it, and takes it out", async (context) => {
    requirePrograms(context, "keytool");
    const java = await mkdtemp(join(tmpdir(), "chanctl-java-"));
    onTestFinished(() => rm(java, { recursive: true, force: true }));
    await mkdir(join(java, "bin"));
    await mkdir(join(java, "lib/security"), { recursive: true });
    const keytool = await realpath(findProgram("keytool") ?? "");
    await symlink(keytool, join(java, "bin/keytool"));
    const cacerts = join(java, "lib/security/cacerts");
    await copyFile(join(keytool, "../../lib/security/cacerts"), cacerts);
    const listing = async () =>
      (await run("keytool", ["-list", "-storepass", "changeit", "-keystore", cacerts])).stdout;
    const ada = await newPerson({ JAVA_HOME: java });
    const row = { store: "Java", kind: "java", place: cacerts, state: "trusted", verifiedBy: "java" };
    for (const _ of ["once", "twice"]) {
      expect((await ada.trust("--store", "java", "--json")).rows).toEqual([expect.objectContaining(row)]);
    }
    expect((await listing()).match(/^chanctl local ca/gm)).toHaveLength(1);
    await rename(join(dirname(ada.caPath), "ca-key.pem"), join(ada.home, "key.pem")); // no server can be made of it
    expect((await ada.trust("--status", "--store", "java")).stdout).toContain("trusted, listed by keytool");
    expect((await ada.trust("--uninstall", "--store", "java")).code).toBe(0);
    expect(await listing()).toMatch(/trustedCertEntry/);
    expect(await listing()).not.toMatch(/^chanctl local ca/m);
  }, 120_000);
});
