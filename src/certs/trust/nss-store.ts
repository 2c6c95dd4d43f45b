import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { ChanctlError, messageOf } from "../../shared/errors.ts";
import { among, type AuthorityCertificate, toStored } from "./authority-certificate.ts";
import type { Machine } from "./machine.ts";
import { findNssEntry, listNssAuthorities, nssReading } from "./nss-database.ts";
import { clearAbandoned, makeNssDatabase, removeMadeDatabase } from "./nss-made-database.ts";
import { findProgram } from "./programs.ts";
import { runningChromium } from "./running-chromium.ts";
import { runningFirefox } from "./running-firefox.ts";
import type { StoreChange, TrustStore } from "./trust-store.ts";
import { installCommand } from "./tool-packages.ts";
import { assertDone, toCommandLine } from "./trust-failed.ts";
import { stateOf, type Verdict } from "./verdict.ts";

const ADD_RETRIES = 5;
/** At the longest. */
const ADD_PAUSE_MS = 400;

interface NssStoreOptions {
  readonly kind: "nss" | "firefox";
  /** "Chromium", "Firefox". */
  readonly name: string;
  /** The folder of the database, absolute. */
  readonly folder: string;
  readonly ca: AuthorityCertificate | undefined;
  readonly machine: Machine;
  /** Whether a TLS client with the database of a folder accepts a server of this CA. @default `certutil` alone is asked */
  readonly verify?: ((folder: string) => Promise<Verdict | undefined>) | undefined;
}

/** An NSS database: that of Chromium, Chrome, Edge and Brave on Linux, or that of a Firefox profile. */
export function nssStore({
  kind,
  name,
  folder,
  ca,
  machine,
  verify: askClient,
}: NssStoreOptions): TrustStore {
  const certutil = findProgram("certutil", machine);
  const database = join(folder, "cert9.db");
  /** The own CA even if it is not named as chanctl names it. */
  const heldHere = () => {
    const held = listNssAuthorities(folder);
    const isOwnMissing = ca !== undefined && !held.some(({ der }) => der.equals(ca.der));
    return isOwnMissing && findNssEntry(folder, ca.der) !== undefined ? [ca, ...held] : held;
  };
  const entryOf = () => (ca === undefined ? undefined : findNssEntry(folder, ca.der));
  const run = async (step: string, args: readonly string[]): Promise<string> => {
    if (certutil === undefined) throw certutilMissing(folder, machine);
    const command = [certutil, "-d", `sql:${folder}`, ...args];
    const hint = fixOf(command);
    assertDone(await machine.run(command), { step, command: toCommandLine(command), hint });
    return toCommandLine(command);
  };
  const reading = () => nssReading(folder);
  /** A damaged database is made anew; else the same on a terminal, where `certutil` asks for a primary password. */
  const fixOf = (command: readonly string[]): string =>
    reading().kind === "damaged"
      ? `${toCommandLine(["mv", database, `${database}.damaged`])}    close ${name} first; what was imported there is lost`
      : `${toCommandLine(command)}    close ${name} first; it asks for its primary password, if it has one`;
  const restartNote = (isAdded: boolean): StoreChange => {
    const pid = kind === "firefox" ? runningFirefox(folder, machine) : runningChromium(machine);
    if (pid === undefined) return {};
    const restart = `restart ${name} (pid ${pid})`;
    return kind === "nss" && isAdded
      ? { note: `${restart} if it has shown the warning already: it keeps to that` }
      : { note: `${restart}: it runs with what it has read before` };
  };

  return {
    kind,
    name,
    place: folder,
    async status({ verify }) {
      const entry = entryOf();
      const read = entry === undefined ? reading() : undefined;
      if (read !== undefined && read.kind !== "whole") {
        const reason = `nobody knows what is in its cert9.db, which cannot be read (${read.code})`;
        const look = `${toCommandLine(["ls", "-l", database])}    it must be yours, and ${name} closed`;
        return { kind: "unreadable", reason, fix: read.kind === "damaged" ? fixOf([]) : look };
      }
      if (certutil === undefined && entry?.isTrusted !== true) {
        return {
          kind: "blocked",
          reason: "`certutil` of NSS is not installed",
          fix: installCommand("certutil", machine),
        };
      }
      if (entry === undefined) return { kind: "untrusted" };
      if (!entry.isTrusted) return { kind: "untrusted", reason: "it is there, but not as a trusted CA" };
      if (!verify || certutil === undefined) return { kind: "trusted" };
      const verdict = await askClient?.(folder);
      if (verdict !== undefined) return stateOf(verdict);
      const asServerAuthority = ["-u", "L"];
      const check = ["-V", "-d", `sql:${folder}`, "-n", entry.nickname, ...asServerAuthority];
      const { code } = await machine.run([certutil, ...check]);
      return code === 0
        ? { kind: "trusted", verifiedBy: "certutil" }
        : { kind: "untrusted", reason: "NSS refuses it" };
    },
    async install() {
      if (ca === undefined) return {};
      if (certutil === undefined) throw certutilMissing(folder, machine);
      await clearAbandoned(folder);
      await makeNssDatabase(folder, { certutil, machine });
      try {
        const add = ["-A", "-t", "C,,", "-n", ca.name, "-i", ca.path];
        const command = await retryWhileOthersAdd(() => run(`add the CA to ${folder}`, add));
        return { ...restartNote(true), command };
      } catch (error) {
        // Where the password is missing for the trust, the certificate is there already, without any.
        const entry = entryOf();
        if (entry?.isTrusted === false)
          await machine.run([certutil, "-d", `sql:${folder}`, "-D", "-n", entry.nickname]);
        throw error;
      }
    },
    async uninstall(taken) {
      // `certutil` deletes by name only. The name is that of the entry with these bytes, whatever somebody called it.
      const commands: string[] = [];
      for (const { der } of among(heldHere(), taken)) {
        for (let entry = findNssEntry(folder, der); entry !== undefined; entry = findNssEntry(folder, der)) {
          try {
            commands.push(await run(`take the CA out of ${folder}`, ["-D", "-n", entry.nickname]));
          } catch (error) {
            if (findNssEntry(folder, der) !== undefined) throw error; // else another run has been faster
          }
        }
      }
      return { ...restartNote(false), command: commands.join(" && ") };
    },
    held: async () => toStored(heldHere(), ca),
    async tidy() {
      await clearAbandoned(folder);
      const isUnused = kind === "nss" && runningChromium(machine) === undefined;
      if (!isUnused || !(await removeMadeDatabase(folder))) return {};
      return { note: "its database is gone too: chanctl had made it, and nothing else was in it" };
    },
  };
}

function certutilMissing(folder: string, machine: Machine): ChanctlError {
  return new ChanctlError(
    "trust_failed",
    `${folder} can only be changed with \`certutil\` of NSS, which is not installed`,
    {
      hint: installCommand("certutil", machine),
    },
  );
}

/**
 * NSS refuses an addition where another process adds the same certificate at that moment, as two `chanctl dev` may that
 * are started at once. The same again is then a change of what is there, and no second certificate.
 */
async function retryWhileOthersAdd<T>(add: () => Promise<T>): Promise<T> {
  for (let left = ADD_RETRIES; ; left--) {
    try {
      return await add();
    } catch (error) {
      if (left === 0 || !messageOf(error).includes("SEC_ERROR_ADDING_CERT")) throw error;
      await delay(ADD_PAUSE_MS * Math.random());
    }
  }
}
