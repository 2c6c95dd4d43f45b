import type { AppendOperation, Retention, Result } from "#src/broker/operation.ts";
import { messageTemplate } from "#src/protocol/message.ts";

/** An hour in 2026, in ms: messages of the tests begin here. */
export const NOON = Date.UTC(2026, 0, 1, 12);

/** A day, and no limit. */
export const RETENTION: Retention = {
  replayWindowMs: 86_400_000,
  inactivityTtlMs: 0,
  maxMessages: 0,
  maxBytes: 0,
};

export interface AppendOptions extends Partial<Omit<AppendOperation, "kind" | "retention">> {
  readonly retention?: Partial<Retention>;
  /** The data of each message, as JSON text. @default one message */
  readonly texts?: readonly string[];
}

/** An append to `chat` at noon, but for what is given. */
export function append({ texts = ["0"], retention, ...rest }: AppendOptions = {}): AppendOperation {
  return {
    kind: "append",
    path: "chat",
    time: NOON,
    templates: texts.map(toTemplate),
    retention: { ...RETENTION, ...retention },
    ...rest,
  };
}

/** A result that must be of a kind. */
export function resultOf<Kind extends Result["kind"]>(
  kind: Kind,
  result: Result | undefined,
): Extract<Result, { kind: Kind }> {
  if (result?.kind !== kind) throw new Error(`expected \`${kind}\`, got ${JSON.stringify(result)}`);
  return result as Extract<Result, { kind: Kind }>;
}

function toTemplate(dataText: string): string {
  return messageTemplate({ channel: "chat", draft: { type: "message", dataText }, from: undefined });
}
