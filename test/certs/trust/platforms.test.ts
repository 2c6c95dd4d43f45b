import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadAuthority } from "#src/certs/authority.ts";
import {
  type AuthorityCertificate,
  readAuthorityCertificate,
} from "#src/certs/trust/authority-certificate.ts";
import { openStores } from "#src/certs/trust/open-stores.ts";
import type { TrustStore } from "#src/certs/trust/trust-store.ts";
import { type RecordedMachine, recordedMachine, type RecordedMachineOptions } from "./recorded-machine.ts";

let folder: string;
let ca: AuthorityCertificate;
let otherCa: AuthorityCertificate;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chanctl-cas-"));
  [ca, otherCa] = await Promise.all([makeCa("a"), makeCa("b")]);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function makeCa(name: string): Promise<AuthorityCertificate> {
  const home = join(folder, name);
  await loadAuthority({ home, now: Date.now() });
  const made = await readAuthorityCertificate(join(home, "ca.pem"));
  if (made === undefined) throw new Error("no CA was made");
  return made;
}

/** The first store of a machine that is not here. */
async function setUp(options: RecordedMachineOptions | (() => RecordedMachineOptions)) {
  const given = typeof options === "function" ? options() : options;
  const machine: RecordedMachine = recordedMachine({ ...given, env: { PATH: "/usr/bin", ...given.env } });
  const store: TrustStore | undefined = openStores({ ca, machine })[0];
  if (store === undefined) throw new Error("the machine has no store");
  return { machine, store };
}

const COREUTILS = { "/usr/bin/install": "", "/usr/bin/rm": "" };

const LINUXES = [
  {
    name: "Fedora",
    osRelease: "ID=fedora\n",
    anchors: "/etc/pki/ca-trust/source/anchors",
    tool: "update-ca-trust",
    update: "update-ca-trust extract",
    bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  },
  {
    name: "Arch",
    osRelease: "ID=arch\n",
    anchors: "/etc/ca-certificates/trust-source/anchors",
    tool: "trust",
    update: "trust extract-compat",
    bundle: "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
  },
  {
    name: "openSUSE",
    osRelease: "ID=opensuse\n",
    anchors: "/etc/pki/trust/anchors",
    tool: "update-ca-certificates",
    update: "update-ca-certificates",
    bundle: "/var/lib/ca-certificates/ca-bundle.pem",
  },
  {
    name: "Debian",
    osRelease: "ID=debian\n",
    anchors: "/usr/local/share/ca-certificates",
    tool: "update-ca-certificates",
    update: "update-ca-certificates",
    bundle: "/etc/ssl/certs/ca-certificates.crt",
  },
] as const;

describe.each(LINUXES)("the store of $name", ({ anchors, tool, update, bundle, osRelease }) => {
  /** A machine whose tools do what they do there. */
  const machineWith = (): RecordedMachineOptions => ({
    files: {
      ...COREUTILS,
      [`${anchors}/`]: "",
      [`/usr/bin/${tool}`]: "",
      "/usr/bin/sudo": "",
      [bundle]: "# others\n",
    },
    answer: ([path = "", ...args], machine) => {
      const program = basename(path);
      if (program === "install") machine.write(args.at(-1) ?? "", ca.pem);
      if (program === "rm") for (const file of args.slice(1)) machine.remove(file);
      const isAnchored = machine.files.list(anchors).some((file) => file.startsWith("chanctl-"));
      if (program === tool) machine.write(bundle, isAnchored ? `# others\n${ca.pem}` : "# others\n");
      return undefined;
    },
  });

  it("is changed by the two lines that are shown, as root", async () => {
    const { machine, store } = await setUp(machineWith);
    expect(await store.status({ verify: false })).toEqual({ kind: "untrusted" });
    const shown = store.asRoot?.install;
    await store.install();
    expect(shown).toBe(machine.commands.join(" && "));
    expect(machine.commands).toEqual([
      expect.stringMatching(
        `^sudo /usr/bin/install -D -m 644 ${ca.path} ${anchors}/chanctl-[0-9a-f]{16}\\.(crt|pem)$`,
      ),
      `sudo /usr/bin/${update}`,
    ]);
    expect(await store.status({ verify: false })).toEqual({ kind: "trusted" });
  });

  it("loses every CA of chanctl by its bytes, whatever the file is called, and nothing else", async () => {
    const { machine, store } = await setUp(machineWith);
    machine.write(`${anchors}/by-hand.crt`, ca.pem);
    machine.write(`${anchors}/theirs.crt`, otherCa.pem);
    machine.write(bundle, ca.pem + otherCa.pem);
    machine.write(`${anchors}/no-ca.crt`, "chanctl local CA 12345678");
    expect(await store.held()).toEqual([
      { name: ca.name, sha1: ca.sha1, isOwn: true },
      { name: otherCa.name, sha1: otherCa.sha1, isOwn: false },
    ]);
    const shown = await store.asRoot?.uninstall(await store.held());
    await store.uninstall(await store.held());
    expect(shown).toBe(machine.commands.join(" && "));
    expect(machine.commands[0]).toBe(`sudo /usr/bin/rm -f ${anchors}/by-hand.crt ${anchors}/theirs.crt`);
    expect(machine.commands[1]).toMatch(`sudo /usr/bin/${update}`);
  });

  it("still has one that the bundle alone holds, after a tool that failed half-way", async () => {
    const { machine, store } = await setUp(machineWith);
    machine.write(bundle, otherCa.pem);
    expect((await store.held()).map(({ name }) => name)).toEqual([otherCa.name]);
    await store.uninstall(await store.held());
    expect(machine.commands).toEqual([expect.stringContaining(update)]);
  });

  it("keeps a CA that was not named", async () => {
    const { machine, store } = await setUp(machineWith);
    machine.write(`${anchors}/by-hand.crt`, ca.pem);
    machine.write(`${anchors}/theirs.crt`, otherCa.pem);
    await store.uninstall((await store.held()).filter(({ isOwn }) => isOwn));
    expect(machine.commands[0]).toBe(`sudo /usr/bin/rm -f ${anchors}/by-hand.crt`);
    expect((await store.held()).map(({ name }) => name)).toEqual([otherCa.name]);
  });

  it("is as it was where the bundle cannot be made: an anchor would be trusted with the next update", async () => {
    const given = machineWith();
    const answer: RecordedMachineOptions["answer"] = (command, machine) =>
      basename(command[0] ?? "") === tool ? { code: 1, stderr: "no room" } : given.answer?.(command, machine);
    const { machine, store } = await setUp({ ...given, answer });
    const whole = store.asRoot?.install;
    await expect(store.install()).rejects.toMatchObject({
      message: "could not add the CA to the system's store: no room",
      hint: whole,
    });
    expect(machine.files.list(anchors)).toEqual([]);
  });

  it("is not begun where a program is missing", async () => {
    const { "/usr/bin/install": _none, ...files } = machineWith().files ?? {};
    const { machine, store } = await setUp({ ...machineWith(), files });
    await expect(store.install()).rejects.toMatchObject({
      message: expect.stringContaining(
        "`install` is nowhere on the PATH or in /usr/sbin, and nothing was changed",
      ),
      hint: expect.stringContaining("export PATH="),
    });
    expect(machine.commands).toEqual([]);
  });

  it("is told what brings its tool back where that is gone, before a CA is taken out", async () => {
    const { [`/usr/bin/${tool}`]: _gone, ...files } = machineWith().files ?? {};
    const anchored = { [`${anchors}/by-hand.crt`]: ca.pem, [bundle]: ca.pem, "/etc/os-release": osRelease };
    const { machine, store } = await setUp({ files: { ...files, ...anchored } });
    await expect(store.uninstall(await store.held())).rejects.toMatchObject({
      message: expect.stringContaining(`\`${tool}\` is nowhere on the PATH`),
      hint: expect.stringMatching(/^sudo .* ca-certificates$/),
    });
    expect(machine.commands).toEqual([]);
  });

  it("is changed by whole paths as root too, whose PATH may be a user's", async () => {
    const { [`/usr/bin/${tool}`]: _bin, ...files } = machineWith().files ?? {};
    const { machine, store } = await setUp({
      isRoot: true,
      files: { ...files, [`/usr/sbin/${tool}`]: "" },
    });
    await store.install();
    expect(machine.commands[1]).toBe(`/usr/sbin/${update}`);
  });

  it.each([
    { who: "a user is asked for a password", isRoot: false, asked: 2 },
    { who: "root is not: what tools complain of is told only where they fail", isRoot: true, asked: 0 },
  ])("is changed by tools that may write on the terminal where $who", async ({ isRoot, asked }) => {
    const { machine, store } = await setUp({ ...machineWith(), isRoot });
    await store.install();
    expect(machine.commands).toHaveLength(2);
    expect(machine.asking).toHaveLength(asked);
  });

  it("is changed through one `su` where there is no sudo, by the line that is shown", async () => {
    const { "/usr/bin/sudo": _none, [`/usr/bin/${tool}`]: _bin, ...files } = machineWith().files ?? {};
    const { machine, store } = await setUp({ files: { ...files, [`/usr/sbin/${tool}`]: "" } });
    const shown = store.asRoot?.install ?? "";
    await store.install();
    const [command = ""] = machine.commands;
    expect(machine.commands).toHaveLength(1);
    expect(shown).toBe(command.replace(/^su -c (.*)$/, "su -c '$1'"));
    expect(command).toContain(` && /usr/sbin/${update}`); // the user's PATH may lack it
  });

  it("is not touched where there is nothing of ours", async () => {
    const { machine, store } = await setUp(machineWith);
    expect(await store.held()).toEqual([]);
    await store.uninstall([]);
    expect(machine.commands).toEqual([]);
  });
});

describe("a Linux without its tool", () => {
  it.each([
    ["debian", "sudo apt install ca-certificates"],
    ["fedora", "sudo dnf install ca-certificates"],
    ["arch", "sudo pacman -S ca-certificates"],
    ["opensuse", "sudo zypper install ca-certificates"],
    ["alpine", "sudo apk add ca-certificates"],
  ])("is told what to install: %s", async (id, fix) => {
    const { store } = await setUp({ files: { "/etc/os-release": `ID=${id}\n` } });
    expect(await store.status({ verify: true })).toMatchObject({ kind: "blocked", fix });
  });

  it.each([
    ["debian", "sudo apt install libnss3-tools"],
    ["fedora", "sudo dnf install nss-tools"],
    ["arch", "sudo pacman -S nss"],
    ["opensuse", "sudo zypper install mozilla-nss-tools"],
  ])("is told what brings `certutil`: %s", async (id, fix) => {
    const files = { "/etc/os-release": `ID=${id}\n`, "/usr/bin/chromium": "" };
    const machine = recordedMachine({ env: { PATH: "/usr/bin" }, files });
    const [store] = openStores({ ca, machine, kinds: ["nss"] });
    expect(await store?.status({ verify: true })).toMatchObject({ kind: "blocked", fix });
    await expect(store?.install()).rejects.toMatchObject({ code: "trust_failed", hint: fix });
  });
});

describe("the macOS keychain", () => {
  const keychain = "/Users/ada/Library/Keychains/login.keychain-db";
  const macOs = { platform: "darwin", homedir: "/Users/ada" } as const;
  /** A keychain that holds what was added to it. */
  const keychainOf = (): RecordedMachineOptions => {
    let isThere = false;
    return {
      ...macOs,
      answer: ([, verb]) => {
        if (verb === "add-trusted-cert") isThere = true;
        if (verb === "delete-certificate") isThere = false;
        if (verb === "find-certificate") return { stdout: isThere ? ca.pem : "" };
        if (verb === "verify-cert") return { code: isThere ? 0 : 1 };
        return undefined;
      },
    };
  };

  it("takes the CA as a root of the user, without sudo, and gives it back by its fingerprint", async () => {
    const { machine, store } = await setUp(keychainOf);
    await store.install();
    expect(machine.commands.at(-1)).toBe(`security add-trusted-cert -r trustRoot -k ${keychain} ${ca.path}`);
    expect(await store.status({ verify: true })).toEqual({ kind: "trusted", verifiedBy: "security" });
    await store.uninstall(await store.held());
    expect(machine.commands.at(-1)).toBe(`security delete-certificate -Z ${ca.sha1} -t ${keychain}`);
    expect(await store.status({ verify: true })).toEqual({ kind: "untrusted" });
    expect(store.asRoot).toBeUndefined();
    expect(machine.inWindow.map((line) => line.split(" ")[1])).toEqual([
      "add-trusted-cert",
      "delete-certificate",
    ]);
  });

  it("says what macOS said where a person does not give the password", async () => {
    const stderr = "SecTrustSettingsSetTrustSettings: The authorization was canceled by the user.";
    const { store } = await setUp({ ...macOs, answer: () => ({ code: 1, stderr }) });
    await expect(store.install()).rejects.toMatchObject({
      code: "trust_failed",
      message: `could not add the CA to the keychain: ${stderr}`,
      hint: expect.stringContaining("security add-trusted-cert"),
    });
  });
});

/** What a German Windows prints of its root store. */
function windowsListing(...held: readonly AuthorityCertificate[]): string {
  const entries = held.map(
    ({ name, sha1 }, index) => `================ Zertifikat ${index + 1} ================
Aussteller: O=chanctl, CN=${name}
Antragsteller: O=chanctl, CN=${name}
Zertifikathash(sha1): ${sha1.toLowerCase()}
`,
  );
  return `Root "Vertrauenswürdige Stammzertifizierungsstellen"
================ Zertifikat 0 ================
Aussteller: CN=Somebody, O=chanctl
Antragsteller: CN=Somebody, O=chanctl
Zertifikathash(sha1): ${"ab".repeat(20)}
${entries.join("")}`;
}

describe("the store of Windows", () => {
  it("loses the CAs of chanctl whose folders are gone, by their fingerprints", async () => {
    const answer = (command: readonly string[]) =>
      command.at(-1) === "Root" ? { stdout: windowsListing(ca, otherCa) } : undefined;
    const { machine, store } = await setUp({ platform: "win32", homedir: "C:\\Users\\ada", answer });
    expect((await store.held()).map(({ isOwn }) => isOwn)).toEqual([true, false]);
    await store.uninstall(await store.held());
    expect(machine.commands.filter((line) => line.includes("-delstore"))).toEqual(
      [ca, otherCa].map(({ sha1 }) => `certutil.exe -user -delstore Root ${sha1}`),
    );
  });

  const rootOf = (): RecordedMachineOptions => {
    let isThere = false;
    return {
      platform: "win32",
      homedir: "C:\\Users\\ada",
      answer: (command) => {
        if (command.includes("-addstore")) isThere = true;
        if (command.includes("-delstore")) isThere = false;
        if (command.at(-1) === "Root") return { stdout: isThere ? windowsListing(ca) : "" };
        if (command[0] === "wslpath") return { stdout: `\\\\wsl.localhost\\Debian${ca.path}\n` };
        return command.includes("-store") ? { code: isThere ? 0 : 1 } : undefined;
      },
    };
  };

  it("takes the CA for the user alone, once, and gives it back by its fingerprint", async () => {
    const { machine, store } = await setUp(rootOf);
    await store.install();
    await store.install();
    expect(machine.commands.filter((line) => line.includes("-addstore"))).toEqual([
      `certutil.exe -user -addstore Root ${ca.path}`,
    ]);
    expect(await store.status({ verify: true })).toEqual({ kind: "trusted" });
    await store.uninstall(await store.held());
    expect(machine.commands.at(-1)).toBe(`certutil.exe -user -delstore Root ${ca.sha1}`);
    expect(machine.inWindow.map((line) => line.split(" ")[2])).toEqual(["-addstore", "-delstore"]);
  });

  it("is reached from WSL by the path that Windows knows", async () => {
    const machine = recordedMachine({
      ...rootOf(),
      platform: "linux",
      homedir: "/home/ada",
      env: { PATH: "/mnt/c/Windows/System32", WSL_DISTRO_NAME: "Debian" },
      files: { "/mnt/c/Windows/System32/certutil.exe": "" },
    });
    await openStores({ ca, machine })[0]?.install();
    expect(machine.commands.at(-1)).toBe(
      `certutil.exe -user -addstore Root \\\\wsl.localhost\\Debian${ca.path}`,
    );
  });
});

describe("Java's store", () => {
  it("that is root's is changed by the line that is shown", async () => {
    const cacerts = "/opt/jdk/lib/security/cacerts";
    const machine = recordedMachine({
      env: { JAVA_HOME: "/opt/jdk", PATH: "/usr/bin" },
      files: { [cacerts]: "", "/opt/jdk/bin/keytool": "", "/usr/bin/sudo": "" },
    });
    const [store] = openStores({ ca, machine, kinds: ["java"] });
    await store?.install();
    expect(machine.commands.at(-1)?.replaceAll(ca.name, `'${ca.name}'`)).toBe(store?.asRoot?.install);
  });
});

describe("the certificate that is added", () => {
  it("is the whole of what is added: the key stays where it is", async () => {
    expect(await readFile(ca.path, "utf8")).not.toContain("PRIVATE");
  });
});
