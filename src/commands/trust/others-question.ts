import type { StoredAuthority, TrustStore } from "../../certs/trust/trust-store.ts";
import type { Io } from "../io.ts";
import { wrapColumns } from "../terminal-text.ts";

interface Other extends StoredAuthority {
  /** The names of the stores that hold it. */
  readonly stores: ReadonlySet<string>;
}

/**
 * Asks, on a terminal, whether the CAs of others go too: those of other users of this machine, whose browsers would
 * warn them again, and those whose config folder is gone.
 */
export async function askForOthers(
  stores: readonly TrustStore[],
  io: Pick<Io, "stdout" | "columns">,
): Promise<"yes" | "no" | "cancelled"> {
  const others = await othersIn(stores);
  if (others.length === 0) return "no";
  const why = "Not yours, but of another user or config folder of this machine, or of one that is gone:";
  const rows = others.flatMap(({ name, sha1, stores: holding }) => [
    `  ${name}     ${[...holding].join(", ")}`,
    `    SHA-1 ${sha1}`,
  ]);
  io.stdout(`${[...wrapColumns(why, io.columns - 1), ...rows].join("\n")}\n\n`);
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({
    message: "Take them out too? Who uses one has to run `chanctl trust` again.",
    initialValue: false,
  });
  if (isCancel(answer)) return "cancelled";
  return answer ? "yes" : "no";
}

/** Each once, with where it lies. */
async function othersIn(stores: readonly TrustStore[]): Promise<readonly Other[]> {
  const found = new Map<string, Other>();
  for (const store of stores) {
    for (const authority of await store.held()) {
      const holding = new Set([...(found.get(authority.sha1)?.stores ?? []), store.name]);
      if (!authority.isOwn) found.set(authority.sha1, { ...authority, stores: holding });
    }
  }
  return [...found.values()];
}
