import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { toProblemAnswer } from "../protocol/problem.ts";
import type { ChanctlError } from "../shared/errors.ts";

/** How long a client may take to read why it is turned away. */
const READ_MS = 1_000;

/**
 * Answers with an error over HTTP/1.1 where Node has made no response: what was no request, and a request to
 * switch protocols. Then closes, whether the client does or not.
 *
 * @param headers in lower case, beside those of the problem body.
 */
export function endWithProblem(
  socket: Duplex,
  error: ChanctlError,
  headers: Readonly<Record<string, string>> = {},
): void {
  const { status, headers: own, body } = toProblemAnswer(error);
  const fields = Object.entries({
    ...own,
    connection: "close",
    "content-length": String(Buffer.byteLength(body)),
    "x-content-type-options": "nosniff",
    ...headers,
  });
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.on("error", () => socket.destroy()); // nobody else listens any more
  const timer = setTimeout(() => socket.destroy(), READ_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${head}\r\n${body}`);
}
