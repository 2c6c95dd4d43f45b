import type { Endpoint } from "./endpoint.ts";
import { Subscribers } from "./subscribers.ts";

export interface ReplayJob {
  readonly endpoint: Endpoint;
  /** The lane whose stream is read, where each has its own. @default the stream of all lanes */
  readonly lane?: number;
  /** How many messages each lane was told are stored. */
  readonly stored: readonly number[];
}

const TIMEOUT_MS = 60_000;

/** Reads a stream from its start and says what of it is missing, doubled or out of order. */
export async function replay({ endpoint, lane = 0, stored }: ReplayJob): Promise<readonly string[]> {
  const reader = new Subscribers();
  try {
    await reader.open({ endpoint, subscribers: 1, lanes: stored.length, lane });
    const { problems } = await reader.finish({ sent: stored, timeoutMs: TIMEOUT_MS });
    return problems;
  } finally {
    reader.close();
  }
}
