import type { CallTable } from "./calls.ts";
import type { Reply } from "./child.ts";

type Handlers<Calls extends CallTable<Calls>> = {
  readonly [Name in keyof Calls]: (given: Calls[Name]["given"]) => Promise<Calls[Name]["answer"]>;
};

interface Call<Calls extends CallTable<Calls>> {
  readonly id: number;
  readonly name: keyof Calls;
  readonly given: Calls[keyof Calls]["given"];
}

/** Answers the calls of the process that forked this one, and ends with it. */
export function serveCalls<Calls extends CallTable<Calls>>(handlers: Handlers<Calls>): void {
  process.on("message", ({ id, name, given }: Call<Calls>) => {
    const reply = (message: Reply): void => void process.send?.(message);
    handlers[name](given).then(
      (answer) => reply({ id, answer }),
      (thrown: unknown) =>
        reply({ id, error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) }),
    );
  });
  // Ctrl-C reaches every process of the terminal; the parent ends the children, in its order.
  process.on("SIGINT", () => {});
  process.on("disconnect", () => process.exit());
}
