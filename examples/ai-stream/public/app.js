import { stream } from "@durable-streams/client";

const find = (selector) => document.querySelector(selector);
const log = find("#conversation");
const exchanges = new Map(); // an answer's path → its element

const conversation = new URLSearchParams(location.search).get("c") ?? (await begin());
await followConversation();

find("#composer").onsubmit = async (event) => {
  event.preventDefault();
  const input = find("#composer input");
  const question = input.value.trim();
  if (question === "") return;
  input.value = "";
  await post("/ask", { conversation, question }).catch((error) => {
    input.value = question;
    setState(`not asked: ${error.message}`);
  });
};

find("#stop").onclick = async () => {
  const writing = [...exchanges.keys()].filter((answer) => exchanges.get(answer).dataset.state === "writing");
  await Promise.all(writing.map((answer) => post("/stop", { conversation, answer })));
};

/** Begins a conversation and puts it into the address: a reload goes on with it, and the link can be shared. */
async function begin() {
  const { conversation } = await post("/begin", {});
  history.replaceState(null, "", `?c=${conversation}`);
  return conversation;
}

/**
 * Reads what was asked from the beginning on, and then as it is asked. By long-polls the client reconnects by itself,
 * for as long as it takes; its event streams (0.2.7) end with the first connection that breaks.
 */
async function followConversation() {
  const questions = await stream({
    url: `${location.origin}/ds/${conversation}`,
    json: true,
    live: "long-poll",
    fetch: fetchWhole,
  });
  setState("live");
  questions.subscribeJson(({ items }) => {
    for (const { question, answer, stopped } of items) {
      if (stopped !== undefined) markStopped(stopped);
      else void followAnswer(showQuestion(question, answer), answer);
    }
  });
}

/**
 * Reads an answer from its first token to its last. The client's own `subscribeText` decodes each response alone, and
 * would break a character whose bytes come in two: so bytes are read, and decoded as one text.
 */
async function followAnswer(element, path) {
  const answer = await stream({
    url: `${location.origin}/ds/${path}`,
    live: "long-poll",
    fetch: fetchWhole,
  });
  const decoder = new TextDecoder();
  let whole = "";
  answer.subscribeBytes(({ data, streamClosed }) => {
    whole += decoder.decode(data, { stream: !streamClosed });
    keepAtEnd(() => renderAnswer(element.querySelector(".answer"), whole));
    if (streamClosed) finish(element);
  });
}

/** A response that breaks off half way counts as one that never came, and is asked for again: else it would end the read. */
async function fetchWhole(...request) {
  const response = await fetch(...request);
  const hasBody = response.status !== 204;
  return new Response(hasBody ? await response.arrayBuffer() : null, response);
}

function showQuestion(question, answer) {
  const element = find("#exchange").content.firstElementChild.cloneNode(true);
  element.dataset.state = "writing";
  element.querySelector(".question").textContent = question;
  exchanges.set(answer, element);
  keepAtEnd(() => log.append(element));
  find("#stop").hidden = false;
  return element;
}

function finish(element) {
  element.dataset.state = element.dataset.stopped === undefined ? "done" : "stopped";
  element.querySelector(".status").textContent = element.dataset.stopped === undefined ? "" : "stopped";
  const isWriting = [...exchanges.values()].some(({ dataset }) => dataset.state === "writing");
  find("#stop").hidden = !isWriting;
}

function markStopped(answer) {
  const element = exchanges.get(answer);
  if (element === undefined) return;
  element.dataset.stopped = "";
  if (element.dataset.state !== "writing") finish(element);
}

/** Text between fences is code. All of it goes into the page as text, never as HTML; the fences are there, and hidden. */
function renderAnswer(element, text) {
  const parts = text.split(/(```\w*\n?)/);
  element.replaceChildren(
    ...parts.map((part, index) => {
      const isFence = index % 2 === 1;
      const child = document.createElement(isFence ? "span" : index % 4 === 2 ? "code" : "span");
      child.textContent = part;
      child.hidden = isFence;
      return child;
    }),
  );
}

/** Changes the page and stays at its end, if the reader was there. */
function keepAtEnd(change) {
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  change();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

function setState(text) {
  find("#state").textContent = text;
}

async function post(path, body) {
  const response = await fetch(path, { method: "POST", body: JSON.stringify(body) });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `status ${response.status}`);
  return answer;
}
