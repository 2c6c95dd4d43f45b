import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { loadAuthority } from "#src/certs/authority.ts";
import { readAuthorityCertificate } from "#src/certs/trust/authority-certificate.ts";
import { findFirefoxProfiles } from "#src/certs/trust/firefox-profiles.ts";
import type { Machine } from "#src/certs/trust/machine.ts";
import { openStores } from "#src/certs/trust/open-stores.ts";
import { realMachine } from "#src/certs/trust/real-machine.ts";
import type { StoreChange, StoreKind, TrustStore } from "#src/certs/trust/trust-store.ts";
import { requirePrograms } from "../../support/requires.ts";

const run = promisify(execFile);

interface Person {
  readonly home: string;
  readonly machine: Machine;
  /** A store of theirs, opened anew each time, as each command does. @default on their machine */
  readonly open: (kind: StoreKind, on?: Machine) => TrustStore;
}

/** Somebody with a CA and an empty home folder. */
async function newPerson(): Promise<Person> {
  const home = await mkdtemp(join(tmpdir(), "chanctl-nss-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const config = join(home, ".config/chanctl");
  await loadAuthority({ home: config, now: Date.now() });
  const ca = await readAuthorityCertificate(join(config, "ca.pem"));
  const env = { PATH: process.env["PATH"] };
  const machine = realMachine({ env, homedir: home, isTerminal: false });
  return {
    home,
    machine,
    open(kind, on = machine) {
      const [store] = openStores({ ca, machine: on, kinds: [kind] });
      if (store === undefined) throw new Error(`there is no store of ${kind}`);
      return store;
    },
  };
}

/** A machine on which something happens before a `certutil` with this option runs, and after. */
function around(
  machine: Machine,
  { option, before, after }: { option: string; before?: Machine["run"]; after?: () => void },
): Machine {
  return {
    ...machine,
    async run(command, options) {
      const isMeant = command.includes(option);
      if (isMeant) await before?.(command, options);
      const result = await machine.run(command, options);
      if (isMeant) after?.();
      return result;
    },
  };
}

async function makeProfile(home: string): Promise<string> {
  const profile = join(home, ".mozilla/firefox/a.default");
  await mkdir(profile, { recursive: true });
  await writeFile(join(profile, "times.json"), "{}");
  return profile;
}

/** What `--uninstall` does to the store of Chromium. */
async function takeOut({ open }: Person): Promise<StoreChange | undefined> {
  const store = open("nss");
  await store.uninstall(await store.held());
  return store.tidy?.();
}

const DATABASE = ["cert9.db", "key4.db", "pkcs11.txt"];

describe("an NSS database that is not there yet", () => {
  beforeEach((context) => requirePrograms(context, "certutil"));

  it("is made once by many who want it at once, and each finds its CA trusted there", async () => {
    const ada = await newPerson();
    const stores = Array.from({ length: 8 }, () => ada.open("nss"));
    await Promise.all(stores.map((store) => store.install()));
    const states = await Promise.all(stores.map((store) => store.status({ verify: false })));
    expect(new Set(states.map(({ kind }) => kind))).toEqual(new Set(["trusted"]));
    expect(await readdir(join(ada.home, ".pki"))).toEqual(["nssdb"]);
    expect(await readdir(join(ada.home, ".pki/nssdb"))).toEqual(expect.arrayContaining(DATABASE));
  });

  it.each([
    ["where the folder is there and empty", []],
    ["beside what else is in the folder", ["times.json"]],
    ["where one who was killed left half of it", ["key4.db", "times.json"]],
  ])("is made %s", async (_, names) => {
    const ada = await newPerson();
    const folder = join(ada.home, ".pki/nssdb");
    if (names.includes("key4.db")) {
      await ada.open("nss").install();
      await rm(join(folder, "cert9.db"));
      await rm(join(folder, "pkcs11.txt"));
    }
    await mkdir(folder, { recursive: true });
    if (names.includes("times.json")) await writeFile(join(folder, "times.json"), "{}");
    await Promise.all([ada.open("nss").install(), ada.open("nss").install()]);
    expect(await ada.open("nss").status({ verify: true })).toMatchObject({ kind: "trusted" });
    expect(await readdir(folder)).toEqual(expect.arrayContaining([...DATABASE, ...names]));
    expect(await readdir(join(ada.home, ".pki"))).toEqual(["nssdb"]);
  });

  it("is no profile of Firefox while it is made for one", async () => {
    const ada = await newPerson();
    const profile = await makeProfile(ada.home);
    const seen: (readonly string[])[] = [];
    const after = (): number => seen.push(findFirefoxProfiles(ada.machine));
    await ada.open("firefox", around(ada.machine, { option: "-N", after })).install();
    expect(seen).toEqual([[profile]]);
    expect(await readdir(dirname(profile))).toEqual([basename(profile)]);
  });

  it("takes away what ended runs have left, and not what may be of one that goes on", async () => {
    const ada = await newPerson();
    const profiles = dirname(await makeProfile(ada.home));
    const hourAgo = new Date(Date.now() - 3_600_000);
    for (const name of [".chanctl-new-nssdb-oldOld", ".chanctl-new-nssdb-newNew", "theirs"]) {
      await mkdir(join(profiles, name, "a.default"), { recursive: true });
      if (!name.endsWith("newNew")) await utimes(join(profiles, name), hourAgo, hourAgo);
    }
    await ada.open("firefox").install();
    expect(await readdir(profiles)).toEqual([".chanctl-new-nssdb-newNew", "a.default", "theirs"]);
    await utimes(join(profiles, ".chanctl-new-nssdb-newNew"), hourAgo, hourAgo);
    await ada.open("firefox").tidy?.();
    expect(await readdir(profiles)).toEqual(["a.default", "theirs"]);
  });

  it("names its own folder, and not the one in which it was made", async () => {
    const ada = await newPerson();
    await ada.open("nss").install();
    const folder = join(ada.home, ".pki/nssdb");
    expect(await readFile(join(folder, "pkcs11.txt"), "utf8")).toContain(`configdir='sql:${folder}'`);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it("is made where a link leads to", async () => {
    const ada = await newPerson();
    await mkdir(join(ada.home, "elsewhere"));
    await mkdir(join(ada.home, ".pki"));
    await symlink(join(ada.home, "elsewhere"), join(ada.home, ".pki/nssdb"));
    await ada.open("nss").install();
    expect(await readdir(join(ada.home, "elsewhere"))).toEqual(expect.arrayContaining(DATABASE));
  });

  it("is told of with the folder where it cannot be made", async () => {
    const ada = await newPerson();
    await writeFile(join(ada.home, ".pki"), "a file");
    await expect(ada.open("nss").install()).rejects.toMatchObject({
      code: "trust_failed",
      message: expect.stringMatching(/could not make the database \S+\.pki\/nssdb: .*(EEXIST|ENOTDIR)/),
      hint: expect.stringContaining(`ls -ld ${join(ada.home, ".pki")}`),
    });
  });
});

describe("an NSS database that chanctl has made", () => {
  beforeEach((context) => requirePrograms(context, "certutil", "openssl"));

  it("has lost the CA, and nothing failed, where another run has taken it out a moment before", async () => {
    const ada = await newPerson();
    await ada.open("nss").install();
    const store = ada.open(
      "nss",
      around(ada.machine, { option: "-D", before: (...call) => ada.machine.run(...call) }),
    );
    await store.uninstall(await store.held());
    expect(await store.held()).toEqual([]);
  });

  it("is gone after the CA is taken out, with the folder above it, and the row says so", async () => {
    const ada = await newPerson();
    await ada.open("nss").install();
    expect(await takeOut(ada)).toEqual({ note: expect.stringContaining("database is gone") });
    expect(await readdir(ada.home)).toEqual([".config"]);
    expect(await takeOut(ada)).toEqual({});
  });

  it.each<[string, (folder: string) => Promise<unknown>]>([
    [
      "a certificate",
      async (folder) => {
        const [key, certificate] = [`${folder}/../key.pem`, `${folder}/../cert.pem`];
        const subject = ["-subj", "/CN=a friend", "-keyout", key, "-out", certificate];
        await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject]);
        await run("certutil", ["-A", "-d", `sql:${folder}`, "-t", ",,", "-n", "theirs", "-i", certificate]);
      },
    ],
    [
      "a key",
      async (folder) => {
        await writeFile(`${folder}/../noise`, randomBytes(2048));
        await run("certutil", ["-G", "-d", `sql:${folder}`, "-z", `${folder}/../noise`, "-g", "2048"]);
      },
    ],
    [
      "a module",
      (folder) =>
        appendFile(join(folder, "pkcs11.txt"), "library=/usr/lib/opensc-pkcs11.so\nname=OpenSC\n\n"),
    ],
    ["a file", (folder) => writeFile(join(folder, "cert8.db"), "")],
  ])("stays where there is %s of others in it", async (_, addTo) => {
    const ada = await newPerson();
    const folder = join(ada.home, ".pki/nssdb");
    await ada.open("nss").install();
    await addTo(folder);
    expect(await takeOut(ada)).toEqual({});
    expect(await readdir(folder)).toEqual(expect.arrayContaining(DATABASE));
  });

  it("is not one that was there, nor one of a folder with other things in it", async () => {
    const ada = await newPerson();
    const folder = join(ada.home, ".pki/nssdb");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "note.txt"), "mine");
    await ada.open("nss").install();
    await rm(join(folder, "note.txt"));
    await takeOut(ada);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(DATABASE));
  });
});
