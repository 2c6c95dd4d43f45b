import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { ChanctlError, messageOf } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";
import { Writer } from "./writer.ts";
import type { Outcome, Proposal } from "./writer.ts";

/** Main thread → writer thread. */
export type ToWriter = readonly Proposal[] | "close";

/** Writer thread → main thread. */
export type FromWriter =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string; readonly hint?: string }
  | { readonly kind: "committed"; readonly outcomes: readonly Outcome[] };

const port = parentPort;
if (port === null) throw new Error("writer-thread runs only as a worker");
const reply = (message: FromWriter): void => port.postMessage(message);

const { file }: { file: string } = workerData;
try {
  const writer = new Writer(file);
  reply({ kind: "ready" });
  port.on("message", (first: ToWriter) => {
    // Whatever has come in while the last commit was under way joins this one.
    const proposals: Proposal[] = [];
    let isClosing = false;
    for (let next: ToWriter | undefined = first; next !== undefined; next = receive()) {
      if (next === "close") isClosing = true;
      else proposals.push(...next);
    }
    if (proposals.length > 0) reply({ kind: "committed", outcomes: writer.commit(proposals) });
    if (isClosing) {
      writer.close();
      port.close();
    }
  });
} catch (thrown) {
  const error = thrown instanceof ChanctlError ? thrown : undefined;
  const { code = "store_invalid", hint } = error ?? {};
  reply({ kind: "failed", code, message: messageOf(thrown), ...(hint === undefined ? {} : { hint }) });
}

function receive(): ToWriter | undefined {
  const received: { message: ToWriter } | undefined = port === null ? undefined : receiveMessageOnPort(port);
  return received?.message;
}
