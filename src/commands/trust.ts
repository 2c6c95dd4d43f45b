import type { Command } from "commander";

import type { Io } from "./io.ts";
import type { TrustFlags } from "./trust/run-trust.ts";

const EXAMPLE = `Puts the local CA into each trust store of this machine, or takes it out; one \
row a store.

  $ chanctl trust
  $ chanctl trust --status
  $ chanctl trust --uninstall
  $ chanctl trust --uninstall --all

Stores: system (curl, git, most programs), nss (Chromium, Chrome, Edge, Brave), \
firefox (each profile), java (where JAVA_HOME is set). What needs root \
is shown and asked for; nothing else runs as root.
--uninstall: takes out your own CA. Those of other users and of config folders \
that are gone stay, unless you say yes to their names, or --all.
Exit codes: 0 every store trusts the CA (--uninstall: none does), 1 one does \
not, 4 root was needed and there is nobody to ask (no terminal, CI, \
--json), 130 given up (Ctrl-C) at a question
`;

/** Adds `chanctl trust`. */
export function registerTrust(program: Command, io: Io): void {
  program
    .command("trust")
    .summary("make browsers and programs trust the local CA")
    .addHelpText("before", EXAMPLE)
    .option("--uninstall", "take it out again")
    .option("--all", "with --uninstall: every CA of chanctl, others' too")
    .option("--status", "only look")
    .option("--store <system|nss|firefox|java>", "these only, with commas between (all)")
    .option("-y, --yes", "run what needs root without asking")
    .option("--json", "print one JSON a store")
    .action(async (flags: TrustFlags) => {
      const { runTrust } = await import("./trust/run-trust.ts");
      await runTrust(flags, io);
    });
}
