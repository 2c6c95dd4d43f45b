import type { TrustStore } from "../../certs/trust/trust-store.ts";
import type { Io } from "../io.ts";
import type { Permission } from "./change-store.ts";
import { commandLines } from "../command-text.ts";

/** Asks, on a terminal, whether a line may run as root; the line is shown as it will run. */
export function permissionAsker(
  { isYes }: { readonly isYes: boolean },
  io: Io,
): (line: string, store: TrustStore) => Promise<Permission> {
  return async (line, { name }) => {
    if (isYes) return "yes";
    if (!io.isTerminal) return "unasked";
    const { confirm } = await import("@clack/prompts");
    const words = commandLines(line, io.columns - 8).join("\n  "); // the prompt draws a line before each
    const answer = await confirm({ message: `The ${name} store belongs to root. Run this?\n  ${words}` });
    return answer === true ? "yes" : "no";
  };
}
