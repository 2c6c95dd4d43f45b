import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { RunningCli } from "../commands/cli.ts";

/** A `chanctl serve` that runs. */
export interface Serve {
  readonly url: string;
  readonly internalUrl: string;
  readonly token: string;
  /** SIGKILL: the process has no chance to do anything. */
  kill(): Promise<void>;
}

/** Starts `chanctl serve` in a project folder, to which these channels are added; killed with the test. */
export async function startServe(root: string, channels: Readonly<Record<string, unknown>>): Promise<Serve> {
  mkdirSync(join(root, "channels"), { recursive: true });
  for (const [name, definition] of Object.entries(channels)) {
    writeFileSync(join(root, "channels", `${name}.json`), JSON.stringify(definition));
  }
  writeFileSync(join(root, "package.json"), "{}"); // or a project around it would be taken for this one
  const cli = new RunningCli(["serve", "--port", "0", "--host", "127.0.0.1", "--json"], { cwd: root });
  onTestFinished(() => void cli.child.kill("SIGKILL"));
  await cli.until(({ lines }) => lines.length > 0);
  const { url, internalUrl } = JSON.parse(cli.lines[0] ?? "") as { url: string; internalUrl: string };
  return {
    url,
    internalUrl,
    token: readFileSync(join(root, ".chanctl", "token"), "utf8").trim(),
    kill: async () => void (await cli.end("SIGKILL")),
  };
}
