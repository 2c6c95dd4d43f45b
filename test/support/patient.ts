/** How long to wait for what must come: the limit is there for a test that fails, not for a slow machine. */
export const PATIENT = { timeout: 20_000, interval: 20 } as const;
