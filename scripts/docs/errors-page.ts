import type { ErrorRow, Reconnect } from "#src/shared/errors.ts";
import { toMarkdown, toTable } from "./markdown.ts";

const RECONNECT: Readonly<Record<Reconnect, string>> = {
  resume: "yes",
  wait: "yes, after a pause",
  "sign-in": "after signing in",
  afresh: "yes, without an id",
};

/** The text of `docs/errors.md`: what answers a client first, then what only the terminal shows. */
export function toErrorsPage(errors: Readonly<Record<string, ErrorRow>>): string {
  const rows = Object.entries(errors);
  const isAnswer = ([, row]: readonly [string, ErrorRow]): boolean =>
    row.status !== undefined || row.close !== undefined;
  return `# Errors

Every error has a \`code\`, which does not change; its message and its fix say what came and what to do about it.
\`npm run docs\` makes this page from [the table](../src/shared/errors.ts) that the server itself uses.

## Over HTTP and WebSocket

An HTTP answer is \`application/problem+json\` (RFC 9457) with \`title\`, \`status\`, \`code\`, \`detail\` and, where
there is one, \`fix\`. A WebSocket gets an \`error\` frame with \`code\`, \`message\` and \`fix\` and, where the error
ends the connection, the close code. A browser cannot read the status of a refused handshake, so the server completes
it and closes at once.

Whoever reconnects sends its last id, except where the table says otherwise. A pause is what \`afterMs\` or
\`Retry-After\` says, else a backoff with jitter. Where the last column is empty, what to do depends on what came, and
\`detail\` and \`fix\` say it.

${toTable(
  ["code", "HTTP", "close", "what it means", "reconnect?", "what to do"],
  rows
    .filter(isAnswer)
    .map(([code, row]) => [
      `\`${code}\``,
      orDash(row.status),
      orDash(row.close),
      row.title,
      row.reconnect === undefined ? "no" : RECONNECT[row.reconnect],
      toMarkdown(row.hint ?? ""),
    ]),
)}

## At the terminal and in the app

The command line prints an error with its fix and exits with the code below, or with 1 where the error is one of those
above. The SDK throws a \`ChanctlError\` with the \`code\`, and the client a \`ChannelError\`.

${toTable(
  ["code", "exit", "what it means"],
  rows
    .filter((row) => !isAnswer(row))
    .map(([code, row]) => [`\`${code}\``, String(row.exit ?? 1), row.title]),
)}
`;
}

function orDash(value: number | undefined): string {
  return value === undefined ? "–" : String(value);
}
