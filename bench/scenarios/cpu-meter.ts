import { cpus } from "node:os";
import { nowUs } from "../load/clock.ts";
import type { Column, Session } from "./scenario.ts";

/** What was running while a run was measured, in cores. */
export interface CpuUse {
  /** Of the target, all its threads together, in µs. */
  readonly targetUs: number;
  readonly targetCores: number;
  /** Of the whole machine. What neither the target nor the generators used is other work: noise. */
  readonly machineCores: number;
}

/** How the cores are shown. */
export const CPU_COLUMNS: readonly Column[] = [
  { key: "cores", label: "cores", decimals: 2 },
  { key: "generatorCores", label: "generator", decimals: 2 },
  { key: "otherCores", label: "other work", decimals: 2 },
];

/** The figures of `CPU_COLUMNS`. @param generatorCores what the load generators used. */
export function coreFigures(
  { targetCores, machineCores }: CpuUse,
  generatorCores: number,
): Readonly<Record<string, number>> {
  const otherCores = Math.max(0, machineCores - targetCores - generatorCores);
  return { cores: targetCores, generatorCores, otherCores };
}

interface Reading {
  readonly atUs: number;
  readonly targetUs: number;
  readonly machineUs: number;
}

/** Measures CPU time from its start to its reading. */
export class CpuMeter {
  readonly #session: Pick<Session, "cpuUs">;
  readonly #before: Reading;

  static async start(session: Pick<Session, "cpuUs">): Promise<CpuMeter> {
    return new CpuMeter(session, await take(session));
  }

  private constructor(session: Pick<Session, "cpuUs">, before: Reading) {
    this.#session = session;
    this.#before = before;
  }

  async read(): Promise<CpuUse> {
    const now = await take(this.#session);
    const elapsedUs = now.atUs - this.#before.atUs;
    const targetUs = now.targetUs - this.#before.targetUs;
    return {
      targetUs,
      targetCores: targetUs / elapsedUs,
      machineCores: (now.machineUs - this.#before.machineUs) / elapsedUs,
    };
  }
}

async function take({ cpuUs }: Pick<Session, "cpuUs">): Promise<Reading> {
  return { targetUs: await cpuUs(), machineUs: machineUs(), atUs: nowUs() };
}

function machineUs(): number {
  const busyMs = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq);
  return busyMs.reduce((sum, ms) => sum + ms, 0) * 1_000;
}
