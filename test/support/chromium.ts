import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";
import type { TestContext } from "vitest";
import { findProgram, requirePrograms, skipOrFail } from "./requires.ts";

const CHROMIUM_NAMES = ["chromium", "google-chrome"];

const ARGS = [
  "--no-sandbox", // Chromium refuses to run as root with one, and CI is root
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A headless browser of its own home folder; no certificate check is switched off. */
export interface TestBrowser {
  /** Give each person of the test a context of their own: `browser.newContext()`. */
  readonly browser: Browser;
  close(): Promise<void>;
}

interface LaunchOptions {
  readonly caPath?: string;
  readonly home?: string;
}

/** Skips the test where `launchChromium` cannot work; fails it in CI. */
export function requireChromium(context: TestContext): void {
  if (findChromium() === undefined) {
    skipOrFail(context, `needs ${CHROMIUM_NAMES.join(" or ")} (not a snap), not found on this machine`);
  }
  requirePrograms(context, "certutil");
}

/**
 * Launches Chromium with a CA in the trust store of a fresh home folder: the one way by which it will
 * accept the CA's leaves. Without `caPath` it trusts nobody new. With `home` it is the browser of a person
 * whose home folder that is, and who trusts whom they trust.
 */
export async function launchChromium({ caPath, home: given }: LaunchOptions): Promise<TestBrowser> {
  const home = given ?? (await mkdtemp(join(tmpdir(), "chanctl-chromium-")));
  const removeHome = async (): Promise<void> => {
    if (given === undefined) await rm(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    if (caPath !== undefined) await trustAuthority(home, caPath);
    const browser = await chromium.launch({
      executablePath: findChromium() ?? "chromium",
      args: ARGS,
      env: { ...process.env, HOME: home, XDG_CONFIG_HOME: "", XDG_DATA_HOME: "" },
    });
    return {
      browser,
      async close() {
        await browser.close();
        await removeHome();
      },
    };
  } catch (error) {
    await removeHome();
    throw error;
  }
}

/** A snap is of no use: it sees neither the home folder nor the trust store that it is given here. */
function findChromium(): string | undefined {
  return CHROMIUM_NAMES.map(findProgram).find((path) => path !== undefined && !isSnap(path));
}

function isSnap(path: string): boolean {
  return basename(realpathSync(path)) === "snap";
}

async function trustAuthority(home: string, caPath: string): Promise<void> {
  const store = join(home, ".pki", "nssdb");
  await mkdir(store, { recursive: true });
  const certutil = (...args: readonly string[]) =>
    promisify(execFile)("certutil", ["-d", `sql:${store}`, ...args]);
  await certutil("-N", "--empty-password");
  await certutil("-A", "-t", "C,,", "-n", "chanctl test CA", "-i", caPath);
}
