import { join } from "node:path";

import { readIfPresent, replacePrivateFile } from "../../certs/private-file.ts";
import {
  type AuthorityCertificate,
  readAuthorityCertificate,
} from "../../certs/trust/authority-certificate.ts";
import { openStores } from "../../certs/trust/open-stores.ts";
import type { TrustStore } from "../../certs/trust/trust-store.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { authorityEndText } from "./authority-end.ts";
import { installInto } from "./change-store.ts";
import { permissionAsker } from "./permission.ts";
import { questionText } from "./question.ts";
import { rowText } from "./row-text.ts";
import { findTrust, machineOf } from "./trust-context.ts";
import { summarizeTrust } from "./trust-summary.ts";

/** What `dev` knows of trust once it may go on. */
export interface DevTrust {
  /** The banner's row about the CA. */
  readonly text: string;
  /** How long a person was asked, ms: that is not start-up time. */
  readonly askedMs: number;
  /** The person gave up (Ctrl-C) instead of answering. */
  readonly isCancelled: boolean;
}

interface DevTrustOptions {
  /** The user's config folder, absolute. */
  readonly home: string;
  readonly caPath: string;
  /** `false` for `--no-trust` and `--json`. */
  readonly mayAsk: boolean;
}

/**
 * Finds which stores trust the CA, and on a terminal asks once whether to add it to those that do not.
 *
 * It is asked once for each CA: the answer is kept in the config folder. Never in CI.
 */
export async function resolveDevTrust({ home, caPath, mayAsk }: DevTrustOptions, io: Io): Promise<DevTrust> {
  const ca = await readAuthorityCertificate(caPath);
  io.stderr((ca && authorityEndText(ca, { now: Date.now(), io })) ?? "");
  const isPerson = mayAsk && io.isTerminal;
  const stores = openStores({ ca, machine: machineOf(io, { mayAsk: isPerson }) });
  const { text, missing } = await summarizeTrust(stores);
  const answerPath = join(home, "trust-answer.json");
  if (ca === undefined || !isPerson || missing.length === 0 || (await isAnswered(answerPath, ca))) {
    return { text, askedMs: 0, isCancelled: false };
  }
  const askedAt = performance.now();
  const answer = await ask({ ca, missing }, io);
  const isCancelled = answer === "cancelled" || (answer === "yes" && !(await installAll(io)));
  if (!isCancelled) {
    // Last: who gives up at the question about root, or at the password, has not answered.
    await replacePrivateFile(answerPath, `${JSON.stringify({ sha256: ca.sha256, answer })}\n`);
  }
  const after = answer === "yes" ? await summarizeTrust(stores) : { text };
  return { text: after.text, askedMs: performance.now() - askedAt, isCancelled };
}

async function isAnswered(path: string, { sha256 }: AuthorityCertificate): Promise<boolean> {
  return (await readIfPresent(path))?.includes(sha256) === true;
}

async function ask(
  { ca, missing }: { ca: AuthorityCertificate; missing: readonly TrustStore[] },
  io: Io,
): Promise<"yes" | "no" | "cancelled"> {
  io.stderr(questionText({ ca, missing }, io));
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({ message: "Trust it?" });
  if (isCancel(answer)) return "cancelled";
  return answer ? "yes" : "no";
}

/** @returns `false` where the person gave up. */
async function installAll(io: Io): Promise<boolean> {
  const { stores } = await findTrust({ isMaking: false, mayAsk: true }, io); // the same, able to prove it by a handshake
  const mayRunAsRoot = permissionAsker({ isYes: false, mayAsk: true }, io);
  const colors = palette(io.color);
  for (const store of stores) {
    const { row, isOpen, permission } = await installInto(store, { mayRunAsRoot });
    if (permission === "cancelled") return false;
    if (row.state !== "unused") io.stderr(rowText(row, { colors, columns: io.columns, isOpen }));
  }
  return true;
}
