import { homedir } from "node:os";

import { type Authority, loadAuthority } from "../../certs/authority.ts";
import { type AuthorityCertificate, readOwnAuthority } from "../../certs/trust/authority-certificate.ts";
import type { JavaPlace } from "../../certs/trust/java-store.ts";
import type { Machine } from "../../certs/trust/machine.ts";
import { openStores } from "../../certs/trust/open-stores.ts";
import { realMachine } from "../../certs/trust/real-machine.ts";
import type { StoreKind, TrustStore } from "../../certs/trust/trust-store.ts";
import { resolveConfigHome } from "../../platform/config-home.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { Io } from "../io.ts";

/** The CA and the stores of this machine that could trust it. */
export interface TrustContext {
  /** `undefined` where none has been made. */
  readonly ca: AuthorityCertificate | undefined;
  readonly stores: readonly TrustStore[];
  /** Why the CA can sign nothing any more, if so: it has ended, or its key is gone. */
  readonly problem?: ChanctlError;
}

interface ContextOptions {
  readonly kinds?: readonly StoreKind[] | undefined;
  /** Make a CA where there is none. */
  readonly isMaking: boolean;
  /** Whether a tool may ask a person: for a password, or in a window of the system's. */
  readonly mayAsk: boolean;
}

/**
 * Finds the CA and the stores.
 *
 * @throws {ChanctlError} `certificate_invalid` where a CA was to be made and cannot be.
 */
export async function findTrust({ kinds, isMaking, mayAsk }: ContextOptions, io: Io): Promise<TrustContext> {
  const home = resolveConfigHome({ env: io.env, platform: process.platform, homedir: homedir() });
  const machine = machineOf(io, { mayAsk });
  const made = isMaking ? await loadAuthority({ home, now: Date.now() }) : undefined;
  const ca = await readOwnAuthority(home);
  const kept =
    ca === undefined ? undefined : (made ?? (await orProblem(loadAuthority({ home, now: Date.now() }))));
  const problem = kept instanceof ChanctlError ? kept : undefined;
  const authority = kept instanceof ChanctlError ? undefined : kept;
  const asking = authority && askingOf(authority, machine);
  const stores = openStores({ ca, machine, kinds, ...asking });
  return { ca, stores, ...(problem === undefined ? {} : { problem }) };
}

/** Asks TLS clients about real servers of the CA. */
function askingOf({ pair }: Authority, machine: Machine) {
  const load = () => import("../../certs/trust/handshake.ts"); // loads node-forge: 25 ms
  return {
    verify: async () => (await load()).askSystemClient(pair, machine),
    verifyNss: async (folder: string) => (await load()).askNssClient(pair, { folder, machine }),
    verifyJava: async (place: JavaPlace) => (await load()).askJavaClient(pair, { ...place, machine }),
  };
}

/** This machine, with the environment of a command. */
export function machineOf({ env }: Io, { mayAsk }: Pick<ContextOptions, "mayAsk">): Machine {
  return realMachine({ env, homedir: homedir(), isTerminal: mayAsk });
}

/** A CA that has ended must still be found, to be taken out. */
async function orProblem(loading: Promise<Authority>): Promise<Authority | ChanctlError> {
  try {
    return await loading;
  } catch (error) {
    if (error instanceof ChanctlError) return error;
    throw error;
  }
}
