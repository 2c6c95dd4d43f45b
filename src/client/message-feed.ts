import type { ChannelError } from "./channel-error.ts";
import { FULL } from "./limits.ts";

/** What `for await` reads. */
export interface MessageFeed<Message> {
  readonly isFull: () => boolean;
  readonly push: (message: Message) => void;
  /** Resolves when every iterator has room again, or at the end. */
  readonly room: () => Promise<void>;
  /** Ends every iterator: with the error, after what has come; without one, at once. */
  readonly close: (error: ChannelError | undefined) => void;
  readonly iterate: () => AsyncGenerator<Message, void, undefined>;
}

interface Iterator<Message> {
  readonly messages: Message[];
  wake: () => void;
}

/**
 * Each iterator has what has come since it was made, up to a thousand messages. Past that reading stops, and goes on
 * from the log when half of them are taken: nothing is dropped, nothing piles up.
 */
export function createFeed<Message extends object>(): MessageFeed<Message> {
  const iterators = new Set<Iterator<Message>>();
  let onRoom = (): void => {};
  let end: { readonly error: ChannelError | undefined } | undefined;
  const hold = (count: number): boolean => [...iterators].some(({ messages }) => messages.length > count);
  return {
    isFull: () => hold(FULL),
    push(message) {
      for (const { messages, wake } of iterators) {
        messages.push(message);
        wake();
      }
    },
    room: () =>
      new Promise((resolve) => {
        onRoom = () => (end || !hold(FULL / 2)) && resolve();
        onRoom();
      }),
    close(error) {
      end = { error };
      for (const { wake } of iterators) wake();
      onRoom();
    },
    iterate() {
      const iterator = read();
      // A generator does nothing before its first `next`, not even on `return`.
      void iterator.next();
      return iterator;
    },
  };

  async function* read(): AsyncGenerator<Message, void, undefined> {
    const own: Iterator<Message> = { messages: [], wake: () => {} };
    iterators.add(own);
    try {
      yield undefined as never; // to `iterate`, which asks nobody else
      for (;;) {
        if (end && !end.error) return;
        const message = own.messages.shift();
        if (message) {
          onRoom();
          yield message;
        } else if (end) throw end.error;
        else await new Promise<void>((resolve) => (own.wake = resolve));
      }
    } finally {
      iterators.delete(own);
      onRoom();
    }
  }
}
