import type { Command } from "commander";

import type { Io } from "./io.ts";
import { addStreamFlags } from "./server/stream-flags.ts";
import type { DevFlags } from "./server/run-dev.ts";

const EXAMPLE = `Serves the app over local HTTPS, with the broker in front, and reloads channels \
when they are saved.

  $ chanctl dev
  $ chanctl dev --port 0 --app "npm run start"
  $ chanctl dev --host                  phones too: scan the QR code
  $ chanctl dev -- next dev
`;

/** Adds `chanctl dev`. */
export function registerDev(program: Command, io: Io): void {
  const command = program
    .command("dev")
    .summary("the app over local HTTPS, with the broker in front")
    .usage("[options] [-- <app command>]")
    .addHelpText("before", EXAMPLE)
    .argument("[command...]", "what starts the app, after --")
    .option("--port <port>", "the public port; 0 picks a free one (4433)")
    .option("--host [address]", "open it to the network: all addresses, or this one (127.0.0.1 only)")
    .option("--app <command>", "what starts the app (the script dev or start of package.json)")
    .option("--app-port <port>", "the port that the app listens on, given to it as PORT (a free one)")
    .option("--no-tls", "plain HTTP, instead of HTTPS")
    .option("--no-trust", "never ask whether browsers should trust the local CA")
    .option("--http1", "HTTP/1.1 only, no HTTP/2");
  addStreamFlags(command)
    .option("--internal-host <address>", "the address of the internal listener (127.0.0.1)")
    .option("--internal-port <port>", "the port of the internal listener (the last run's)")
    .option("--open", "open the browser")
    .option("--json", "print one JSON a line, `ready` first")
    .action(async (words: readonly string[], flags: DevFlags) => {
      const { runDev } = await import("./server/run-dev.ts");
      await runDev({ words, flags }, io);
    });
}
