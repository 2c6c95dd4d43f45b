import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { untilEnded } from "../until-ended.ts";
import type { Status } from "./check.ts";
import { CHECKS } from "./checks.ts";
import { reportLines } from "./report-lines.ts";
import { runChecks } from "./run-checks.ts";
import type { Finding } from "./run-checks.ts";
import { surveyScene } from "./scene.ts";

/** Looks at everything, says how it stands and what to do; exits 1 if something fails. */
export async function runDoctor({ isJson }: { readonly isJson: boolean }, io: Io): Promise<void> {
  await untilEnded(io, async (signal) => {
    const scene = await surveyScene(io, signal);
    const findings = await runChecks(CHECKS, { scene, signal });
    if (signal.aborted) return;
    if (isJson) for (const finding of findings) io.stdout(`${JSON.stringify(finding)}\n`);
    else io.stdout(`${report(findings, io)}\n`);
    if (findings.some(({ status }) => status === "fail")) io.setExitCode(1);
  });
}

function report(findings: readonly Finding[], io: Io): string {
  const colors = palette(io.color);
  const columns = io.isOutputTerminal ? io.columns : Number.POSITIVE_INFINITY;
  const lines = reportLines(findings, { columns, palette: colors });
  const count = (wanted: Status): number => findings.filter(({ status }) => status === wanted).length;
  const [fails, warns] = [count("fail"), count("warn")];
  const counts = [`${count("ok")} ok`, `${warns} warn`, `${fails} fail`].join(", ");
  const paint = fails > 0 ? colors.red : warns > 0 ? colors.yellow : colors.green;
  return [...lines, "", paint(counts)].join("\n");
}
