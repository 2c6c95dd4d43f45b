import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { TestContext } from "vitest";
import { launchChromium, requireChromium } from "../support/chromium.ts";
import type { TestBrowser } from "../support/chromium.ts";
import { launchFirefox } from "../support/firefox.ts";
import type { TestFirefox, TestTab } from "../support/firefox.ts";
import { startFixtureApp } from "../support/fixture-app.ts";
import type { Listener } from "../support/fixture-app.ts";
import { PATIENT } from "../support/patient.ts";
import { requirePrograms } from "../support/requires.ts";
import { buildScriptPage } from "../support/script-page.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

/** A page that writes down what it reads. */
const PAGE = `
  import { connect } from "./dist/client.js";
  window.join = (options) => {
    window.data = [];
    window.chat = connect("chat", { params: { room: "a" }, ...options });
    chat.on("message", ({ data }) => window.data.push(data));
  };
`;

/** A person's browser: its tabs share cookies, locks and channels. */
interface TestPerson {
  readonly open: (url: string) => Promise<TestTab>;
  readonly leave: () => Promise<void>;
}

interface Browser {
  readonly name: string;
  readonly require: (context: TestContext) => void;
  /** A new person, in a browser that is launched once. */
  readonly enter: () => Promise<TestPerson>;
  readonly close: () => Promise<void>;
}

function chromium(): Browser {
  let launched: TestBrowser | undefined;
  return {
    name: "Chromium",
    require: requireChromium,
    async enter() {
      launched ??= await launchChromium({});
      const browser = await launched.browser.newContext();
      const open = async (url: string): Promise<TestTab> => {
        const page = await browser.newPage();
        await page.goto(url);
        return page;
      };
      return { open, leave: () => browser.close() };
    },
    close: async () => launched?.close(),
  };
}

function firefox(): Browser {
  let launched: TestFirefox | undefined;
  return {
    name: "Firefox",
    require: (context) => requirePrograms(context, "firefox-esr"),
    async enter() {
      launched ??= await launchFirefox();
      const tabs: TestTab[] = [];
      const open = async (url: string): Promise<TestTab> => {
        const tab = await (launched as TestFirefox).open(url);
        tabs.push(tab);
        return tab;
      };
      return { open, leave: async () => void (await Promise.allSettled(tabs.map((tab) => tab.close()))) };
    },
    close: async () => launched?.close(),
  };
}

interface Tabs {
  readonly server: TestServer;
  readonly person: TestPerson;
  /** Opens a tab that reads the room. */
  readonly open: (options?: object) => Promise<TestTab>;
}

let page: Listener;

beforeAll(async () => {
  page = await buildScriptPage(PAGE);
});

async function openTabs(browser: Browser): Promise<Tabs> {
  const app = await startFixtureApp(page);
  const server = await startTestServer({ channels: { chat: PUBLIC_ROOMS }, app: { url: app.url } });
  const person = await browser.enter();
  onTestFinished(async () => {
    await person.leave();
    await server[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
  });
  const open = async (options: object = {}): Promise<TestTab> => {
    const tab = await person.open(server.url);
    await vi.waitFor(async () => expect(await tab.evaluate("typeof join")).toBe("function"), PATIENT);
    await tab.evaluate(`join(${JSON.stringify(options)})`);
    await isLive(tab);
    return tab;
  };
  return { server, person, open };
}

const isLive = (page: TestTab) =>
  vi.waitFor(async () => expect(await page.evaluate("chat.status")).toBe("live"), PATIENT);
const reads = (page: TestTab, data: readonly unknown[]) =>
  vi.waitFor(async () => expect(await page.evaluate("window.data")).toEqual(data), PATIENT);
const publish = (server: TestServer, ...data: unknown[]) =>
  server.publish(
    "chat?room=a",
    data.map((each) => ({ type: "message", data: each })),
  );
const connects = (server: TestServer) => server.logged.filter(({ event }) => event === "connect").length;
const subscribers = (server: TestServer) =>
  connects(server) - server.logged.filter(({ event }) => event === "disconnect").length;
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe.each([chromium(), firefox()])("in $name", (browser) => {
  beforeEach((context) => browser.require(context));
  afterAll(() => browser.close());

  describe("two tabs", () => {
    it("read by one connection", async () => {
      const { server, open } = await openTabs(browser);
      const first = await open();
      const second = await open();
      await publish(server, 1, 2);
      await reads(first, [1, 2]);
      await reads(second, [1, 2]);
      expect(connects(server)).toBe(1);
    });

    it("read on without gap or repeat when the one that leads is closed", async () => {
      const { server, open } = await openTabs(browser);
      const first = await open();
      const second = await open();
      await publish(server, 1);
      await reads(second, [1]);
      await first.close();
      await publish(server, 2);
      await reads(second, [1, 2]);
      await vi.waitFor(() => expect(subscribers(server)).toBe(1), PATIENT);
    });

    it("publish each for itself, and read what they publish once", async () => {
      const { open } = await openTabs(browser);
      const first = await open();
      const second = await open();
      await second.evaluate("chat.publish({ type: 'message', data: 'of the second' })");
      await first.evaluate("chat.publish({ type: 'message', data: 'of the first' })");
      await reads(first, ["of the second", "of the first"]);
      await reads(second, ["of the second", "of the first"]);
    });

    it("come to one connection when the second has first to read what was before", async () => {
      const { server, open } = await openTabs(browser);
      await publish(server, 1, 2, 3);
      const first = await open();
      const second = await open({ rewind: 2 });
      await reads(second, [2, 3]);
      await vi.waitFor(() => expect(subscribers(server)).toBe(1), PATIENT);
      await publish(server, 4);
      await reads(first, [4]);
      await reads(second, [2, 3, 4]);
    });

    it("do not wait for each other's slow iterators", async () => {
      const { server, open } = await openTabs(browser);
      const first = await open();
      await first.evaluate("window.iterator = chat[Symbol.asyncIterator](); void iterator.next()");
      const second = await open();
      for (const batch of [0, 1, 2])
        await publish(server, ...numbers(batch * 1_000 + 1, batch * 1_000 + 1_000));
      await reads(second, numbers(1, 3_000));
      expect(await first.evaluate("window.data.length")).toBeLessThan(1_010);
      await first.evaluate("iterator.return()");
      await reads(first, numbers(1, 3_000));
    });

    it("do not share where they show different tokens, or do not want to", async () => {
      const { server, open } = await openTabs(browser);
      await open({ token: "ada" });
      await open({ token: "bob" });
      await open({ token: "ada" });
      await open({ share: false });
      expect(subscribers(server)).toBe(3);
    });
  });

  it("misses nothing and doubles nothing in five tabs, while the one that leads is closed again and again", async () => {
    const { server, open } = await openTabs(browser);
    const tabs: TestTab[] = [];
    for (let count = 0; count < 5; count += 1) tabs.push(await open());
    let last = 0;
    const closed = new AbortController();
    const publishing = (async () => {
      while (!closed.signal.aborted) {
        last += 1;
        await publish(server, last);
      }
    })();
    for (const tab of tabs.slice(0, 4)) {
      const mark = last;
      await vi.waitFor(
        async () => expect(await tab.evaluate("window.data.length")).toBeGreaterThan(mark),
        PATIENT,
      );
      await tab.close();
    }
    closed.abort();
    await publishing;
    const survivor = tabs[4] as TestTab;
    await reads(survivor, numbers(1, last));
    await vi.waitFor(() => expect(subscribers(server)).toBe(1), PATIENT);
  });

  describe("behind a leader that is not well", () => {
    /** A tab that holds the lock, and says only what it is made to say. */
    async function lead({ server, person }: Tabs, answer: object | undefined): Promise<TestTab> {
      const page = await person.open(server.url);
      const name = `chanctl ${server.url}/channels/chat?room=a 0`;
      await page.evaluate(`
      window.channel = new BroadcastChannel(${JSON.stringify(name)});
      channel.onmessage = ({ data }) => data.kind === "ask" && window.answer && channel.postMessage(window.answer);
      window.answer = ${JSON.stringify(answer)};
      new Promise((held) => navigator.locks.request(${JSON.stringify(name)}, () => new Promise(held)));
    `);
      return page;
    }

    it("a tab reads for itself what it was not told", async () => {
      const tabs = await openTabs(browser);
      const [id = ""] = await publish(tabs.server, 1);
      const leader = await lead(tabs, { kind: "at", id, isLive: true });
      const page = await tabs.open();
      const [, after, third] = await publish(tabs.server, 2, 3, 4);
      const message = { id: third, channel: "chat", type: "message", data: 4, time: 0 };
      await leader.evaluate(`channel.postMessage(${JSON.stringify({ kind: "message", after, message })})`);
      await reads(page, [2, 3, 4]);
    });

    it("a tab is told once what it is told twice", async () => {
      const tabs = await openTabs(browser);
      const [after = ""] = await publish(tabs.server, 1);
      const leader = await lead(tabs, { kind: "at", id: after, isLive: true });
      const page = await tabs.open();
      const [id = ""] = await publish(tabs.server, 2);
      const frame = {
        kind: "message",
        after,
        message: { id, channel: "chat", type: "message", data: 2, time: 0 },
      };
      await leader.evaluate(`for (const _ of [1, 2]) channel.postMessage(${JSON.stringify(frame)})`);
      await leader.evaluate("channel.postMessage({ kind: 'at', id: answer.id, isLive: false })");
      await vi.waitFor(async () => expect(await page.evaluate("chat.status")).toBe("connecting"), PATIENT);
      expect(await page.evaluate("window.data")).toEqual([2]);
    });

    it("a tab reads for itself while the leader says nothing, as a frozen one does", async () => {
      const tabs = await openTabs(browser);
      await lead(tabs, undefined);
      const page = await tabs.open();
      await publish(tabs.server, 1);
      await reads(page, [1]);
      expect(subscribers(tabs.server)).toBe(1);
    });

    it("a tab finds out for itself about a gap", async () => {
      const tabs = await openTabs(browser);
      const ofAnotherLife = "9999999999999999_0000000000000001";
      const leader = await lead(tabs, { kind: "at", id: ofAnotherLife, isLive: true });
      const page = await tabs.open();
      await page.evaluate("window.gaps = 0; chat.on('gap', () => window.gaps++)");
      await leader.evaluate("channel.postMessage({ kind: 'gap' })");
      await vi.waitFor(async () => expect(await page.evaluate("window.gaps")).toBe(1), PATIENT);
    });
  });
});
