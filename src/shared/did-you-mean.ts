/** Longer than any name: comparing costs the length squared, and clients send what they like (CWE-400). */
const MAX_LENGTH = 64;

/**
 * The candidate nearest to what was typed, if it is near enough to be a slip of the fingers.
 *
 * Distance counts a swap of two neighbours as one edit (optimal string alignment), which is the most
 * common slip. A third of the longer word may differ; a longer word that begins with what was typed counts too.
 */
export function didYouMean(typed: string, candidates: Iterable<string>): string | undefined {
  if (typed.length > MAX_LENGTH) return undefined;
  const wanted = typed.toLowerCase();
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const lower = candidate.toLowerCase();
    const isPrefix = wanted.length >= 2 && lower.startsWith(wanted);
    const distance = isPrefix ? 0.5 : editDistance(wanted, lower);
    const allowed = isPrefix ? 1 : Math.max(1, Math.floor(Math.max(wanted.length, lower.length) / 3));
    if (distance <= allowed && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = a[row - 1] === b[column - 1] ? 0 : 1;
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + substitution,
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? Number.POSITIVE_INFINITY;
}
