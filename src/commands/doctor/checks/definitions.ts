import { missingFolder } from "../../../registry/definition-files.ts";
import type { RegistryEntry } from "../../../registry/registry.ts";
import { ChanctlError } from "../../../shared/errors.ts";
import type { Check, Verdict } from "../check.ts";

/** Whether each channel file loads. */
export const definitions: Check = {
  name: "channels",
  group: "project",
  run: async ({ settings, root, isProject, channels }) => {
    if (settings instanceof ChanctlError || !isProject) return undefined;
    const missing = missingFolder({ root, folder: settings.channels });
    if (missing !== undefined) return { status: "warn", message: missing.message, fix: missing.hint };
    return judgeDefinitions(await channels);
  },
};

/** One verdict for all that load, and one for each that does not. */
export function judgeDefinitions(entries: readonly RegistryEntry[]): readonly Verdict[] {
  if (entries.length === 0) {
    const fix = "chanctl channel add chat --transport ws --param room:string";
    return [{ status: "ok", message: "none yet", fix }];
  }
  const good = entries.filter(({ error }) => error === undefined).map(({ name }) => name);
  const broken = entries.flatMap(({ error }) =>
    error === undefined
      ? []
      : [
          {
            status: "fail",
            message: error.message,
            ...(error.hint === undefined ? {} : { fix: error.hint }),
          } as const,
        ],
  );
  return good.length === 0
    ? broken
    : [{ status: "ok", message: `${good.length} load: ${good.join(", ")}` }, ...broken];
}
