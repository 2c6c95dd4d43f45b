import type { Io } from "../io.ts";

/**
 * What to set in the app's environment so that it colours its output, which it writes to a pipe and we to a terminal.
 * Nothing where the user has said something about colours.
 */
export function appColors({ env, color }: Pick<Io, "env" | "color">): Readonly<Record<string, string>> {
  const isDecided = env["NO_COLOR"] !== undefined || env["FORCE_COLOR"] !== undefined;
  return color && !isDecided ? { FORCE_COLOR: "1" } : {};
}
