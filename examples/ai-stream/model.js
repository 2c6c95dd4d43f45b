import { setTimeout as delay } from "node:timers/promises";

/** How long the model thinks about each token, in ms. */
const TOKEN_MS = Number(process.env.TOKEN_MS ?? 40);

/** A stand-in for a language model: it always says the same to the same question. */
export function answerTo(question) {
  return [
    `You asked: “${question}” 🤔\n\n`,
    "A durable stream is a URL that you append to and read from. Every token of this answer is on the disk ",
    "before you see it, so you may reload, lose the line, or come back tomorrow: you go on where you were. ",
    "Somebody else with the link reads along 👩‍👩‍👧.\n\n",
    "```js\n",
    'const answer = await stream({ url: "/ds/conversations/…/…", live: "long-poll" });\n',
    "const decoder = new TextDecoder(); // emoji come in halves\n",
    "answer.subscribeBytes(({ data }) => {\n",
    "  output.textContent += decoder.decode(data, { stream: true });\n",
    "});\n",
    "```\n\n",
    "Kill the broker half way, if you like 💥: what was written stays, and the rest follows when it is back. ✅\n",
  ].join("");
}

/**
 * Yields the answer token by token, as bytes.
 *
 * @param options.from how many bytes have been said already: the model goes on after them.
 */
export async function* generate(question, { from, signal }) {
  for (const token of tokensOf(Buffer.from(answerTo(question)).subarray(from))) {
    const isRestOfCharacter = (token[0] & 0xc0) === 0x80; // said whatever happens: half a character is none
    await delay(TOKEN_MS, undefined, isRestOfCharacter ? {} : { signal });
    yield token;
  }
}

/** Words with the space before them. A character of several bytes may be cut in two, as tokens of a model cut it. */
function* tokensOf(bytes) {
  for (let start = 0; start < bytes.length;) {
    const end = bytes.findIndex((byte, index) => index > start && (byte === 0x20 || byte >= 0xf0));
    const length = bytes[start] >= 0xf0 ? 2 : end === -1 ? bytes.length - start : end - start;
    yield bytes.subarray(start, start + length);
    start += length;
  }
}
