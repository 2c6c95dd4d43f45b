/** `npm run bench`: chanctl beside its peers and the floors, in the same call on the same machine. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ChanctlError } from "#src/shared/errors.ts";
import { parseArguments, USAGE } from "./arguments.ts";
import type { Arguments } from "./arguments.ts";
import { describeMachine } from "./machine.ts";
import type { Machine } from "./machine.ts";
import { summarize } from "./report/summary.ts";
import { formatTable } from "./report/table.ts";
import { runRounds } from "./rounds.ts";
import { selectScenarios } from "./scenarios/catalog.ts";
import type { Size } from "./scenarios/scenario.ts";
import { findTarget, isInstalled, TARGETS } from "./targets/catalog.ts";
import { chanctl } from "./targets/chanctl.ts";
import type { Target } from "./targets/target.ts";

/** On the disk of the project, as a store is; a temporary folder may be in memory, where an fsync costs nothing. */
const RESULTS = fileURLToPath(new URL("results", import.meta.url));
const FULL: Size = { warmupMs: 1_500, durationMs: 5_000, subscribers: 1_000 };
const QUICK: Size = { warmupMs: 500, durationMs: 1_000, subscribers: 200 };

const LEGEND = `\
÷            chanctl's figure divided by this target's of the same round
(low…high)   over the rounds; the figure before it is the median
CPU µs each  of the target's process, all its threads
cores        what the target used; generator, other work: what the rest of the machine did meanwhile
late, taken  when publishes were sent after they were due, and how many the target let be sent at all
`;

/** @returns whether chanctl delivered and kept every message. */
async function main(given: Arguments, signal: AbortSignal): Promise<boolean> {
  const scenarios = selectScenarios(given);
  const size = given.isQuick ? QUICK : FULL;
  const skipped = TARGETS.filter((target) => !isInstalled(target));
  await mkdir(RESULTS, { recursive: true });
  const folder = await mkdtemp(join(RESULTS, "store-"));
  try {
    const machine = await describeMachine(folder);
    process.stdout.write(`${formatMachine(machine)}\n\n${LEGEND}${skipped.map(formatSkipped).join("")}\n`);
    const results = await runRounds({
      scenarios,
      size,
      folder,
      rounds: given.rounds,
      isAvailable: (name) => isInstalled(findTarget(name)),
      onProgress: (line) => process.stderr.write(`${line}\n`),
      signal,
    });
    const summaries = [...results].map(([scenario, ofScenario]) => {
      const summary = summarize(scenario, { results: ofScenario, size });
      process.stdout.write(`\n${formatTable(scenario, summary)}`);
      return summary;
    });
    const at = new Date().toISOString();
    const file = join(RESULTS, `${at.replaceAll(":", "-")}.json`);
    const report = { at, machine, size, skipped: skipped.map(({ name }) => name), scenarios: summaries };
    await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
    process.stdout.write(`\nwritten to ${file}\n`);
    const own = summaries.flatMap(({ targets }) =>
      targets.filter(({ target }) => target.startsWith(chanctl.name)),
    );
    return own.every(({ problems }) => problems.length === 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function formatMachine(machine: Machine): string {
  const { cpu, cores, memoryGiB, platform, node, loadBefore, isStoreInMemory } = machine;
  const text = `${cores} × ${cpu}, ${memoryGiB} GiB, ${platform}, Node ${node}, load ${loadBefore.toFixed(1)} before`;
  return isStoreInMemory
    ? `${text}\nwarning: the store is in memory: durable figures count for nothing`
    : text;
}

function formatSkipped({ name, packageName, programName }: Target): string {
  return `skipped: ${name}: ${packageName ?? programName} is not installed\n`;
}

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
try {
  const given = parseArguments(process.argv.slice(2));
  if (given.isHelp) process.stdout.write(USAGE);
  else if (!(await main(given, stop.signal))) process.exitCode = 1;
} catch (error) {
  if (stop.signal.aborted) process.exitCode = 130;
  else if (error instanceof ChanctlError) {
    const fix = error.hint === undefined ? "" : `  fix: ${error.hint}\n`;
    process.stderr.write(`error: ${error.message}\n${fix}`);
    process.exitCode = error.exitCode;
  } else throw error;
}
