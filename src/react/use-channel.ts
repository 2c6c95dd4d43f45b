import { useCallback, useEffect, useRef, useState } from "react";
import { ChannelError } from "../client/channel-error.ts";
import { connect } from "../client/connection.ts";
import type { ConnectArguments, Connection, Status } from "../client/connection.ts";
import type { ConnectOptions, ConnectParams, Incoming, Outgoing } from "../client/connect-options.ts";

/** How a component uses a channel. What is read once, when it connects: all but `maxMessages`. */
export interface UseChannelOptions extends ConnectOptions {
  /** How many messages are kept, the newest. @default 100 */
  readonly maxMessages?: number;
}

/** What a component sees of a channel. */
export interface ChannelState<Definition> {
  /** The newest messages, oldest first. Emptied after a gap, and when the name or the params change. */
  readonly messages: readonly Incoming<Definition>[];
  readonly status: Status;
  /** Why the connection is closed for good. */
  readonly error: ChannelError | undefined;
  /** Publishes a message; the same function at every render. @see Connection.publish */
  readonly publish: (message: Outgoing<Definition>) => Promise<{ readonly id: string }>;
}

interface Seen<Definition> extends Omit<ChannelState<Definition>, "publish"> {
  readonly key: string;
}

const MAX_MESSAGES = 100;

/**
 * Connects to a channel while the component is there, anew when the name or the values of the params change.
 * Connects in the browser only: a server renders no messages and `connecting`.
 *
 * @example
 * ```tsx
 * const { messages, status, publish } = useChannel<typeof chat>("chat", { room }, { rewind: 50 });
 * ```
 */
export function useChannel<Definition = unknown>(
  name: string,
  params: ConnectParams<Definition>,
  options: UseChannelOptions = {},
): ChannelState<Definition> {
  // In the order of their names, so that the same params are the same.
  const key = name + JSON.stringify(params, Object.keys(params).sort());
  const empty: Seen<Definition> = { key, messages: [], status: "connecting", error: undefined };
  const [seen, setSeen] = useState(empty);
  const connection = useRef<Connection<Definition>>(undefined);
  // The effect depends on the values of the params alone: a new object at each render is no new channel.
  const latest = useRef({ params, options });
  useEffect(() => {
    latest.current = { params, options };
  });

  useEffect(() => {
    const { params, options } = latest.current;
    const opened = connect<Definition>(name, ...([{ ...options, params }] as ConnectArguments<Definition>));
    connection.current = opened;
    // Effects may run anew with the state kept, in StrictMode and when a hidden component is shown again.
    setSeen((before) => (before.key === key && before.status === "connecting" ? before : empty));
    const change = (next: (seen: Seen<Definition>) => Partial<Seen<Definition>>): void => {
      if (connection.current === opened) setSeen((before) => ({ ...before, ...next(before) }));
    };
    opened.on("message", (message) => {
      const { maxMessages = MAX_MESSAGES } = latest.current.options;
      change(({ messages }) => ({
        messages: maxMessages > 0 ? [...messages, message].slice(-maxMessages) : [],
      }));
    });
    opened.on("gap", () => change(() => ({ messages: [] })));
    opened.on("status", (status) => change(() => ({ status })));
    opened.on("error", (error) => change(() => ({ error })));
    return () => {
      connection.current = undefined;
      opened.close();
    };
  }, [key]);

  const publish = useCallback(async (message: Outgoing<Definition>) => {
    if (connection.current) return connection.current.publish(message);
    throw new ChannelError("connection_closed", "the component is not there");
  }, []);
  // At the first render of other params, what was seen is still of the ones before.
  const { messages, status, error } = seen.key === key ? seen : empty;
  return { messages, status, error, publish };
}
