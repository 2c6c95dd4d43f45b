import type { TrustStore } from "../../certs/trust/trust-store.ts";
import type { Io } from "../io.ts";
import type { Permission } from "./change-store.ts";
import { commandLines } from "../command-text.ts";

interface AskerOptions {
  /** The answer is given already. */
  readonly isYes: boolean;
  readonly mayAsk: boolean;
}

/** Asks a person whether a line may run as root; the line is shown as it will run. */
export function permissionAsker(
  { isYes, mayAsk }: AskerOptions,
  { columns }: Pick<Io, "columns">,
): (line: string, store: TrustStore) => Promise<Permission> {
  return async (line, { name }) => {
    if (isYes) return "yes";
    if (!mayAsk) return "unasked";
    const { confirm, isCancel } = await import("@clack/prompts");
    const words = commandLines(line, columns - 8).join("\n  "); // the prompt draws a line before each
    const answer = await confirm({ message: `The ${name} store belongs to root. Run this?\n  ${words}` });
    if (isCancel(answer)) return "cancelled";
    return answer ? "yes" : "no";
  };
}
