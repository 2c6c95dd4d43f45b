/** What a simulation came to. */
export interface Verdict {
  /** What went wrong first, in words; `undefined` where nothing did. */
  readonly violation: string | undefined;
  /** How many messages readers got, where there are readers. */
  readonly delivered?: number;
  /** What it came across, to see that it gets there. */
  readonly visits: ReadonlySet<string>;
}

/** Runs a simulation with the seeds from 1 to `count`, up to the first that finds a violation. */
export async function runSeeds(
  count: number,
  run: (seed: number) => Verdict | Promise<Verdict>,
): Promise<Required<Verdict>> {
  const visits = new Set<string>();
  let delivered = 0;
  for (let seed = 1; seed <= count; seed += 1) {
    const verdict = await run(seed);
    for (const what of verdict.visits) visits.add(what);
    delivered += verdict.delivered ?? 0;
    if (verdict.violation !== undefined)
      return { violation: `seed ${seed}: ${verdict.violation}`, delivered, visits };
  }
  return { violation: undefined, delivered, visits };
}
