/** The first of a list that does not fit. */
export interface Misfit {
  readonly item: unknown;
  /** What was meant, where that can be told. */
  readonly hint?: string;
}

/** A flag's or variable's text with commas as a list; anything else as it is. */
export function toList(value: unknown): unknown {
  return typeof value === "string" ? value.split(",") : value;
}

/** The first that does not fit; `undefined` where the value is no list, or all of it fits. */
export function misfitOf(value: unknown, fits: (item: unknown) => boolean): Misfit | undefined {
  const list = toList(value);
  if (!Array.isArray(list)) return undefined;
  const index = list.findIndex((item: unknown) => !fits(item));
  return index === -1 ? undefined : { item: list[index] };
}
