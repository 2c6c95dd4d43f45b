import { messageOf } from "../../shared/errors.ts";
import type { Check, Group, Scene, Verdict } from "./check.ts";

/** A row of the report. */
export interface Finding extends Verdict {
  readonly group: Group;
  readonly check: string;
}

/** How long one check may take, in ms; longer than any of the waits within them. */
const CHECK_TIMEOUT_MS = 15_000;

/** Runs all checks at once and gives their findings in the order of the checks. None can hold up the others. */
export async function runChecks(
  checks: readonly Check[],
  { scene, signal, timeoutMs = CHECK_TIMEOUT_MS }: RunOptions,
): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    checks.map(async (check) => {
      const verdicts = await runCheck(check, { scene, signal, timeoutMs });
      return verdicts.map((verdict) => ({ group: check.group, check: check.name, ...verdict }));
    }),
  );
  return findings.flat();
}

interface RunOptions {
  readonly scene: Scene;
  readonly signal: AbortSignal;
  /** @default 15 s */
  readonly timeoutMs?: number;
}

async function runCheck(
  check: Check,
  { scene, signal, timeoutMs }: Required<RunOptions>,
): Promise<readonly Verdict[]> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const ending = AbortSignal.any([signal, timeout]);
  const cutOff = new Promise<Verdict>((resolve) => {
    const tell = (): void =>
      resolve({ status: "warn", message: `was not found out within ${timeoutMs / 1_000} s` });
    ending.addEventListener("abort", tell, { once: true });
  });
  try {
    const found = await Promise.race([check.run(scene, ending), cutOff]);
    if (found === undefined) return [];
    return isList(found) ? found : [found];
  } catch (error) {
    return [{ status: "fail", message: `cannot be found out: ${messageOf(error)}` }];
  }
}

function isList(found: Verdict | readonly Verdict[]): found is readonly Verdict[] {
  return Array.isArray(found);
}
