import { randomUUID } from "node:crypto";

import { generate } from "./model.js";
import { append, create, openWriter, readMessages, readState } from "./streams.js";

/** All questions ever asked; for the app alone. With it a restart finds the answers that were under way. */
const ASKED = "asked";

/** Answers that are being written, by their path. */
const running = new Map();

/** Begins a conversation: a stream of what is asked, and one more for each answer. */
export async function begin(conversation) {
  await create(conversation, "application/json");
}

/** Asks in a conversation. Whoever reads it is told of the question, and reads the answer as it is written. */
export async function ask(conversation, question) {
  // Not a number that is counted: two who ask at the same moment would count the same.
  const answer = `${conversation}/${randomUUID()}`;
  await create(answer, "text/plain");
  await append(ASKED, { question, answer });
  await append(conversation, { question, answer });
  start({ question, answer });
  return answer;
}

/** Stops an answer: what has been said stays. */
export async function stop(conversation, answer) {
  if (!answer.startsWith(`${conversation}/`) || !running.has(answer)) return;
  await append(conversation, { stopped: answer });
  running.get(answer)?.abort();
}

/** Goes on with the answers that the last run of the app left unfinished. */
export async function resume() {
  await create(ASKED, "application/json");
  for (const { question, answer } of await readMessages(ASKED)) start({ question, answer });
}

function start({ question, answer }) {
  const stopping = new AbortController();
  running.set(answer, stopping);
  write({ question, answer, signal: stopping.signal })
    .catch((error) => console.error(`${answer}: ${error.message}`))
    .finally(() => running.delete(answer));
}

async function write({ question, answer, signal }) {
  const { length, isClosed } = await readState(answer);
  if (isClosed) return;
  const writer = openWriter(answer);
  try {
    for await (const token of generate(question, { from: length, signal })) await writer.append(token);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  await writer.close();
}
