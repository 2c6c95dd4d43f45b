/** Something that waits until the test lets it go on. */
export interface Gate {
  /** Resolves once it is open. */
  readonly opened: Promise<void>;
  open(): void;
}

/** A gate that is shut. */
export function shutGate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}
