import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { RunningCli } from "../commands/cli.ts";
import { launchChromium } from "../support/chromium.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** A compile of a framework's first page, on a machine with other work. */
export const FRAMEWORK_TIMEOUT_MS = 180_000;

interface FrameworkOptions {
  readonly packages: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  /** The app's command, found in the project's packages. */
  readonly app: string;
}

/** A project of a framework behind `chanctl dev`, open in a browser that trusts chanctl's CA. */
export interface FrameworkProject {
  readonly url: string;
  readonly page: Page;
  /** The URLs of the WebSockets that the page has opened. */
  readonly sockets: readonly string[];
  /** What went wrong on the page. */
  readonly errors: readonly string[];
  /** Writes a file by its path in the project. */
  readonly edit: (path: string, text: string) => Promise<void>;
}

/**
 * Installs the framework from the registry, starts `chanctl dev` over HTTPS and opens its first page. All of it
 * ends with the test.
 */
export async function openFramework({ packages, files, app }: FrameworkOptions): Promise<FrameworkProject> {
  const root = temporaryFolder();
  const edit: FrameworkProject["edit"] = async (path, text) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  await edit("package.json", '{"name":"shop","private":true}');
  for (const [path, text] of Object.entries(files)) await edit(path, text);
  await promisify(execFile)("npm", ["install", "--no-audit", "--no-fund", ...packages], { cwd: root });

  const path = `${join(root, "node_modules", ".bin")}${delimiter}${process.env["PATH"]}`;
  const env = { PATH: path, CHANCTL_HOME: join(root, "home"), NEXT_TELEMETRY_DISABLED: "1" };
  const cli = new RunningCli(["dev", "--port", "0", "--json", "--app", app], { cwd: root, env });
  onTestFinished(() => cli[Symbol.asyncDispose]());
  await cli.until(({ lines }) => lines.some((line) => line.includes('"app-ready"')));
  const { url, caPath } = JSON.parse(cli.lines[0] ?? "") as { readonly url: string; readonly caPath: string };

  const chromium = await launchChromium({ caPath });
  onTestFinished(() => chromium.close());
  const page = await chromium.browser.newPage();
  page.setDefaultTimeout(FRAMEWORK_TIMEOUT_MS);
  const sockets: string[] = [];
  const errors: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(url);
  return { url, page, sockets, errors, edit };
}
