import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";

/** A page in a browser, as far as a test needs one. */
export interface TestTab {
  /** The value of the last expression of a script in the page, as JSON has it. */
  evaluate(script: string): Promise<unknown>;
  close(): Promise<void>;
}

/** A headless Firefox with a profile of its own. */
export interface TestFirefox {
  open(url: string): Promise<TestTab>;
  close(): Promise<void>;
}

interface FirefoxPerson {
  readonly home: string;
  /** The name of a profile that is there. */
  readonly profile: string;
}

interface Answer {
  readonly id?: number;
  readonly type: string;
  readonly message?: string;
  readonly result?: Readonly<Record<string, unknown>>;
}

/**
 * Launches Firefox and speaks WebDriver BiDi with it: Playwright drives only a Firefox of its own.
 *
 * With a `person` it is the Firefox of somebody who has a home folder and a profile by name in it.
 *
 * @see https://w3c.github.io/webdriver-bidi/
 */
export async function launchFirefox(person?: FirefoxPerson): Promise<TestFirefox> {
  const profile = await mkdtemp(join(tmpdir(), "chanctl-firefox-"));
  const own = person === undefined ? ["--profile", profile] : ["-P", person.profile];
  const args = ["--headless", "--no-remote", ...own, "--remote-debugging-port", "0"];
  const env = { ...process.env, HOME: person?.home ?? profile, XDG_CONFIG_HOME: "" };
  const child = spawn("firefox-esr", args, { env });
  let url: string | undefined;
  for await (const line of createInterface({ input: child.stderr })) {
    url = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
    if (url !== undefined) break;
  }
  child.stderr.resume();
  const socket = new WebSocket(`${url}/session`);
  await once(socket, "open");
  const waiting = new Map<number, (answer: Answer) => void>();
  socket.on("message", (data: Buffer) => {
    const answer = JSON.parse(data.toString()) as Answer;
    waiting.get(answer.id ?? -1)?.(answer);
  });
  let count = 0;
  const call = async (method: string, params: object): Promise<Readonly<Record<string, unknown>>> => {
    const id = (count += 1);
    socket.send(JSON.stringify({ id, method, params }));
    const answer = await new Promise<Answer>((resolve) => waiting.set(id, resolve));
    waiting.delete(id);
    if (answer.result === undefined) throw new Error(`${method}: ${answer.message}`);
    return answer.result;
  };
  await call("session.new", { capabilities: {} });
  return {
    async open(address) {
      const { context } = await call("browsingContext.create", { type: "tab" });
      await call("browsingContext.navigate", { context, url: address, wait: "complete" });
      return {
        async evaluate(script) {
          const { result, exceptionDetails } = await call("script.evaluate", {
            expression: `Promise.resolve(eval(${JSON.stringify(script)})).then((value) => JSON.stringify(value))`,
            target: { context },
            awaitPromise: true,
          });
          if (result === undefined) throw new Error(JSON.stringify(exceptionDetails));
          const { value } = result as { readonly value?: string };
          return value === undefined ? undefined : JSON.parse(value);
        },
        close: async () => void (await call("browsingContext.close", { context })),
      };
    },
    async close() {
      const exited = once(child, "exit");
      await call("browser.close", {});
      await exited;
      socket.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
