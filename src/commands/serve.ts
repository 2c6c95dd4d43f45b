import type { Command } from "commander";

import type { Io } from "./io.ts";
import { addStreamFlags } from "./server/stream-flags.ts";
import type { ServeFlags } from "./server/run-serve.ts";

const EXAMPLE = `Serves the app in production: the broker of \`dev\`, without watcher and \
certificates of its own.

  $ chanctl serve --port 8080 --app "node server.js"
  $ chanctl serve --port 8080 --app-url http://127.0.0.1:3000
  $ chanctl serve --port 443 --cert fullchain.pem --key privkey.pem
`;

/** Adds `chanctl serve`. */
export function registerServe(program: Command, io: Io): void {
  const command = program
    .command("serve")
    .summary("the same broker for production")
    .addHelpText("before", EXAMPLE)
    .option("--port <port>", "the public port; 0 picks a free one (4433)")
    .option("--host <address>", "the address to listen on (0.0.0.0)")
    .option("--app <command>", "what starts the app (none: the broker alone)")
    .option("--app-url <url>", "the app runs already, here (it does not)")
    .option("--cert <file>", "the certificate and its chain, PEM; plain HTTP without one")
    .option("--key <file>", "the certificate's key, PEM (none)");
  addStreamFlags(command)
    .option("--internal-host <address>", "the address of the internal listener (127.0.0.1)")
    .option("--internal-port <port>", "the port of the internal listener (the last run's)")
    .option("--json", "print one JSON a line, `ready` first")
    .action(async (flags: ServeFlags) => {
      const { runServe } = await import("./server/run-serve.ts");
      await runServe(flags, io);
    });
}
