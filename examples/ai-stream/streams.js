import { setTimeout as delay } from "node:timers/promises";

import { DurableStream, IdempotentProducer, stream } from "@durable-streams/client";

// `chanctl dev` and `chanctl serve` tell the app where the broker is, and a token that opens every stream.
const { CHANCTL_URL, CHANCTL_TOKEN } = process.env;
const headers = { authorization: `Bearer ${CHANCTL_TOKEN}` };
const urlOf = (path) => `${CHANCTL_URL}/ds/${path}`;

/** Creates a stream; one that is there already is left as it is. */
export async function create(path, contentType) {
  await DurableStream.create({
    url: urlOf(path),
    headers,
    contentType,
    fetch: patientFetch,
    warnOnHttp: false,
  });
}

/** Appends one message to a JSON stream. */
export async function append(path, message) {
  const target = new DurableStream({
    url: urlOf(path),
    headers,
    contentType: "application/json",
    batching: false,
    warnOnHttp: false,
  });
  await target.append(JSON.stringify(message));
}

/** All messages of a JSON stream. */
export async function readMessages(path) {
  return (await stream({ url: urlOf(path), headers, live: false, warnOnHttp: false })).json();
}

/** How many bytes a stream holds, and whether it is closed. */
export async function readState(path) {
  const response = await stream({ url: urlOf(path), headers, live: false, warnOnHttp: false });
  const { length } = await response.body();
  return { length, isClosed: response.streamClosed };
}

/**
 * Writes to a text stream; each token is durable when `append` resolves.
 *
 * The epoch is the time: a writer that takes over after a restart fences off the one before it.
 */
export function openWriter(path) {
  const target = new DurableStream({
    url: urlOf(path),
    headers,
    contentType: "text/plain",
    warnOnHttp: false,
  });
  let failure;
  const producer = new IdempotentProducer(target, "model", {
    epoch: Date.now(),
    maxInFlight: 1,
    lingerMs: 0,
    headers,
    fetch: patientFetch,
    onError: (error) => (failure ??= error),
  });
  return {
    async append(token) {
      producer.append(token);
      await producer.flush();
      if (failure !== undefined) throw failure;
    },
    close: () => producer.close(),
  };
}

/** Sends a request until it is answered: the broker may be restarting, and knows a repeat by its number. */
async function patientFetch(url, init) {
  for (;;) {
    const response = await fetch(url, init).catch(() => undefined);
    if (response !== undefined && response.status !== 429 && response.status < 500) return response;
    await delay(200);
  }
}
