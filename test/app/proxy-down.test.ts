import { writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { json, text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { pickFreePort } from "#src/platform/free-port.ts";
import { launchChromium, requireChromium } from "../support/chromium.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { FRONTS, startFront } from "./fronts.ts";
import { eventually, never, supervise } from "./support.ts";

const NAVIGATION = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

describe.each(FRONTS)("over %s", (kind) => {
  test("shows a browser a page while the app is starting", async () => {
    const { app } = await supervise("never-listens");
    const front = await startFront(kind, app);
    const reply = await front.ask({ headers: NAVIGATION });
    expect(reply.status).toBe(503);
    expect(reply.headers).toMatchObject({
      "cache-control": "no-store",
      "content-type": "text/html; charset=utf-8",
      "retry-after": "1",
      "x-chanctl-app": "starting",
    });
    expect(await text(reply.body)).toContain("The app is starting");
    const head = await front.ask({ method: "HEAD", headers: NAVIGATION });
    expect(head.headers["x-chanctl-app"]).toBe("starting");
  });
});

test("holds a request until the app is ready", async () => {
  const file = join(temporaryFolder(), "go");
  const { app } = await supervise("serves", { environment: { WAIT_FOR: file } });
  const front = await startFront("http/1.1", app);
  const pending = front.ask({ method: "POST", body: "x" });
  await delay(2_500); // longer than refused connections are waited out
  expect(app.state).toBe("starting");
  writeFileSync(file, "");
  const reply = await pending;
  expect(reply.status).toBe(200);
  expect(await text(reply.body)).toMatch(/^hello/);
});

test("shows what a crashed app wrote last, escaped, only where that is asked for", async () => {
  const { app } = await supervise("fails");
  await app.waitUntilReady(never).catch(() => {});
  const open = await startFront("http/1.1", app, { showOutput: true });
  const reply = await open.ask({ headers: NAVIGATION });
  expect(reply.headers["x-chanctl-app"]).toBe("given-up");
  const page = await text(reply.body);
  expect(page).toContain("The app has crashed");
  expect(page).toContain("chanctl has given it up, and tries to start it again every 30 s.");
  expect(page).not.toContain("waiting for it");
  expect(page).toContain("line 29\nError: &lt;script&gt;alert(1)&lt;/script&gt;</pre>");
  const closed = await startFront("http/1.1", app);
  expect(await text((await closed.ask({ headers: NAVIGATION })).body)).not.toContain("line 29");
});

test("the page gives way to the app by itself", async (context) => {
  requireChromium(context);
  const file = join(temporaryFolder(), "go");
  const { app } = await supervise("serves", { environment: { WAIT_FOR: file } });
  const front = await startFront("http/1.1", app);
  const chromium = await launchChromium({});
  onTestFinished(() => chromium.close());
  const page = await chromium.browser.newPage();
  const errors: Error[] = [];
  page.on("pageerror", (error) => errors.push(error));
  await page.goto(`${front.origin}/path?a=1`);
  expect(await page.title()).toBe("The app is starting");
  writeFileSync(file, "");
  await page.getByText("hello").waitFor();
  expect(page.url()).toBe(`${front.origin}/path?a=1`);
  expect(errors).toEqual([]);
});

test("the page scrolls a long line of the app's within its frame", async (context) => {
  requireChromium(context);
  const { app } = await supervise("fails", { environment: { FIRST_LINE: "x".repeat(500) } });
  await app.waitUntilReady(never).catch(() => {});
  const front = await startFront("http/1.1", app, { showOutput: true });
  const chromium = await launchChromium({});
  onTestFinished(() => chromium.close());
  const page = await chromium.browser.newPage({ viewport: { width: 720, height: 480 } });
  await page.goto(front.origin);
  expect(await page.locator("pre").innerText()).toContain("x".repeat(500));
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(720);
});

test("answers 503 for an app that has been given up", async () => {
  const { app } = await supervise("fails");
  await app.waitUntilReady(never).catch(() => {});
  const reply = await (await startFront("http/1.1", app)).ask();
  expect(reply.status).toBe(503);
  expect(reply.headers).toMatchObject({ "content-type": "application/problem+json", "retry-after": "1" });
  expect(await json(reply.body)).toMatchObject({ code: "app_unavailable", status: 503 });
});

test("says which program has the app's port and how to go on, to visitors only that one has", async () => {
  const squatter = createServer().listen(0, "127.0.0.1");
  await once(squatter, "listening");
  onTestFinished(() => void squatter.close());
  const address = squatter.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { app } = await supervise("serves", { port });
  await eventually(() => expect(app.state).toBe("blocked"));
  const open = await startFront("http/1.1", app, { showOutput: true });
  const reply = await open.ask({ headers: NAVIGATION });
  expect(reply).toMatchObject({ status: 503, headers: { "x-chanctl-app": "blocked" } });
  const page = await text(reply.body);
  expect(page).toContain("The app waits for its port");
  expect(page).toContain(`Another program has port ${port}; the app is started as soon as that is free.`);
  expect(page).toContain(`which is in use by node (pid ${process.pid}, `);
  expect(page).toContain(`\n  fix: kill ${process.pid} `);
  const closed = await startFront("http/1.1", app);
  const shut = await text((await closed.ask({ headers: NAVIGATION })).body);
  expect(shut).toContain(`Another program has port ${port}; `);
  expect(shut).not.toContain(String(process.pid));
});

test("goes on after a crash with the app that was started again", async () => {
  const { app } = await supervise("serves");
  const front = await startFront("http/1.1", app);
  const first = await text((await front.ask()).body);
  await front.ask({ path: "/crash", method: "POST" }).catch(() => {});
  await eventually(() => expect(app.state).not.toBe("ready"));
  const second = await text((await front.ask()).body);
  expect(second).toMatch(/^hello/);
  expect(second).not.toBe(first);
});

test("waits out an app that refuses connections for a moment, with the body kept", async () => {
  const port = await pickFreePort();
  const front = await startFront("http/1.1", `http://localhost:${port}`);
  const pending = front.ask({ method: "POST", body: "kept" });
  const server = createServer((request, response) => void request.pipe(response));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  expect(await text((await pending).body)).toBe("kept");
});

test("answers 503 for an app that goes on refusing connections", async () => {
  const front = await startFront("http/1.1", `http://localhost:${await pickFreePort()}`);
  const page = await front.ask({ headers: NAVIGATION });
  expect(page.headers["x-chanctl-app"]).toBe("unreachable");
  const reply = await front.ask({ method: "POST", body: "x" });
  expect(reply.status).toBe(503);
  expect(await json(reply.body)).toMatchObject({ code: "app_unavailable" });
  expect(front.log.map(({ event }) => event)).toEqual(["app-unreachable"]);
});
