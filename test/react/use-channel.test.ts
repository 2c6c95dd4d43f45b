import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Page } from "playwright-core";
import { useChannel } from "#src/react.ts";
import { launchChromium, requireChromium } from "../support/chromium.ts";
import type { TestBrowser } from "../support/chromium.ts";
import { startFixtureApp } from "../support/fixture-app.ts";
import type { Listener } from "../support/fixture-app.ts";
import { PATIENT } from "../support/patient.ts";
import { buildScriptPage } from "../support/script-page.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

/** A page whose `render(room)` shows what `useChannel` sees of the room, in StrictMode. */
const PAGE = `
  import { StrictMode } from "react";
  import { createRoot } from "react-dom/client";
  import { jsx } from "react/jsx-runtime";
  import { useChannel } from "./dist/react.js";

  const root = createRoot(document.body);
  window.renders = [];
  function Room({ room }) {
    const seen = useChannel("chat", { room }, { maxMessages: window.maxMessages ?? 3, rewind: 5, share: false });
    window.seen = seen;
    window.renders.push(room + ": " + seen.messages.map(({ data }) => data).join());
    return jsx("p", { children: seen.status + ": " + seen.messages.map(({ data }) => data).join() });
  }
  window.render = (room) => root.render(jsx(StrictMode, { children: room && jsx(Room, { room }) }));
`;

const ROOMS = {
  ...PUBLIC_ROOMS,
  paramsSchema: { type: "object", properties: { room: { type: "string", maxLength: 9 } } },
};

it("renders on a server without connecting", () => {
  const Room = () => {
    const { status, messages, error } = useChannel("chat", { room: "lobby" });
    return createElement("p", null, `${status} ${messages.length} ${String(error)}`);
  };
  expect(renderToString(createElement(Room))).toBe("<p>connecting 0 undefined</p>");
});

describe("in a browser, in StrictMode", () => {
  let chromium: TestBrowser | undefined;
  let roomPage: Listener;

  beforeAll(async () => {
    roomPage = await buildScriptPage(PAGE);
  });
  beforeEach((context) => requireChromium(context));
  afterAll(() => chromium?.close());

  async function openPage(): Promise<{ readonly page: Page; readonly server: TestServer }> {
    chromium ??= await launchChromium({});
    const app = await startFixtureApp(roomPage);
    const server = await startTestServer({ channels: { chat: ROOMS }, app: { url: app.url } });
    const page = await chromium.browser.newPage();
    onTestFinished(async () => {
      await page.close();
      await server[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    });
    await page.goto(server.url);
    await page.waitForFunction("window.render");
    return { page, server };
  }

  const shows = (page: Page, text: string) =>
    vi.waitFor(async () => expect(await page.textContent("p")).toBe(text), PATIENT);
  const publish = (server: TestServer, room: string, ...data: unknown[]) =>
    server.publish(
      `chat?room=${room}`,
      data.map((each) => ({ type: "message", data: each })),
    );
  /** How many subscribers have come and not gone. */
  const subscribers = (server: TestServer) =>
    server.logged.filter(({ event }) => event === "connect").length -
    server.logged.filter(({ event }) => event === "disconnect").length;

  it("shows the newest messages once each, on one connection, and publishes", async () => {
    const { page, server } = await openPage();
    await publish(server, "a", 1, 2);
    await page.evaluate("render('a')");
    await shows(page, "live: 1,2");
    await page.evaluate("seen.publish({ type: 'message', data: 3 })");
    await publish(server, "a", 4);
    await shows(page, "live: 2,3,4");
    await vi.waitFor(() => expect(subscribers(server)).toBe(1), PATIENT);
  });

  it("keeps no message where it is told to keep none", async () => {
    const { page, server } = await openPage();
    await page.evaluate("window.maxMessages = 0; render('a')");
    await shows(page, "live: ");
    await publish(server, "a", 1);
    await page.evaluate("seen.publish({ type: 'message', data: 2 })");
    await page.evaluate("window.maxMessages = 2; render('a')");
    await publish(server, "a", 3);
    await shows(page, "live: 3");
  });

  it("connects anew for other params, with none of the messages of the ones before", async () => {
    const { page, server } = await openPage();
    await publish(server, "a", "of a");
    await publish(server, "b", "of b");
    await page.evaluate("render('a')");
    await shows(page, "live: of a");
    await page.evaluate("render('b')");
    await shows(page, "live: of b");
    const renders = (await page.evaluate("window.renders")) as string[];
    expect(renders.filter((each) => each.startsWith("b"))).not.toContain("b: of a");
    await vi.waitFor(() => expect(subscribers(server)).toBe(1), PATIENT);
  });

  it("keeps its connection and its `publish` when it is rendered again with equal params", async () => {
    const { page, server } = await openPage();
    await page.evaluate("render('a')");
    await shows(page, "live: ");
    await page.evaluate("window.first = seen.publish");
    const connects = () => server.logged.filter(({ event }) => event === "connect").length;
    const before = connects();
    await page.evaluate("render('a')");
    await publish(server, "a", 1);
    await shows(page, "live: 1");
    expect(await page.evaluate("seen.publish === first")).toBe(true);
    expect(connects()).toBe(before);
  });

  it("closes its connection when it goes", async () => {
    const { page, server } = await openPage();
    await page.evaluate("render('a')");
    await shows(page, "live: ");
    await page.evaluate("render(null)");
    await vi.waitFor(() => expect(subscribers(server)).toBe(0), PATIENT);
    await expect(page.evaluate("seen.publish({ type: 'message', data: 1 })")).rejects.toThrow(
      "the component",
    );
  });

  it("says why it is closed for good", async () => {
    const { page } = await openPage();
    await page.evaluate("render('a room with a long name')");
    await shows(page, "closed: ");
    expect(await page.evaluate("seen.error.code")).toBe("params_invalid");
  });
});
