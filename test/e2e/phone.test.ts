import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { startDev } from "../commands/dev-project.ts";
import type { StartedServer } from "../commands/dev-project.ts";
import { makeProject } from "../commands/temp-project.ts";
import type { TempProject } from "../commands/temp-project.ts";
import { launchChromium, requireChromium } from "../support/chromium.ts";

const APP = `
import { createServer } from "node:http";
createServer(({ url, headers }, response) => {
  response.setHeader("content-type", "text/html");
  if (url === "/sign-in") response.setHeader("set-cookie", "session=of-" + process.env.NAME);
  response.end("<h1>the app</h1><p>" + (headers.cookie ?? "no cookie") + "</p>");
}).listen(process.env.PORT);
`;

const COMMAND = ["dev", "--host", "--app", "node app.js"];
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

let project: TempProject;
let dev: StartedServer;
/** As the QR code has it, by an address that the tests' machine surely has. */
let phoneUrl: string;

beforeAll(async () => {
  project = await makeProject({ "app.js": APP });
  dev = await startDev(project, { command: COMMAND, env: { NAME: "shop" } });
  phoneUrl = `http://127.0.0.1:${new URL(dev.ready.url).port}/_chanctl/phone`;
});
afterAll(async () => {
  await dev?.[Symbol.asyncDispose]();
  await project?.[Symbol.asyncDispose]();
});
beforeEach((context) => requireChromium(context));

/** A browser that goes when the test ends. */
async function launch(options: { readonly caPath?: string } = {}): Promise<Browser> {
  const chromium = await launchChromium(options);
  onTestFinished(() => chromium.close());
  return chromium.browser;
}

describe("the phone's page, in a browser", () => {
  it("says that the CA is not trusted, and shows the steps and the fingerprint", async () => {
    const browser = await launch();
    const page = await (await browser.newContext(PHONE)).newPage();
    const refused: string[] = [];
    page.on("console", (message) => refused.push(message.text()));
    await page.goto(`${phoneUrl}?for=ios`);
    await page.getByText("Not trusted on this device yet.").waitFor();
    await page.getByRole("link", { name: "Download profile" }).waitFor();
    await page.getByText("Is this the right certificate authority?").click();
    await page.getByText(/^(?:[\dA-F]{2}:){7}/).waitFor();
    const isWider = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
    expect(isWider).toBe(false);
    expect(refused.filter((text) => text.includes("Content Security Policy"))).toEqual([]);
  });

  it("goes on to the app by itself where the CA is trusted, and stays where that is asked", async () => {
    const browser = await launch({ caPath: dev.ready.caPath ?? "" });
    const context = await browser.newContext(PHONE);
    const page = await context.newPage();
    await page.goto(phoneUrl);
    await page.getByRole("heading", { name: "the app" }).waitFor();
    expect(new URL(page.url()).protocol).toBe("https:");
    await page.goto(`${phoneUrl}?stay`);
    await page.getByText("Trusted on this device.").waitFor();
    await page.getByRole("link", { name: "Open shop" }).click();
    await page.getByRole("heading", { name: "the app" }).waitFor();
  });
});

it("projects have cookies of their own by their names, which `localhost` alone does not give them", async () => {
  await using other = await makeProject({ "app.js": APP, "package.json": '{"name":"blog","type":"module"}' });
  await using blog = await startDev(other, {
    command: COMMAND,
    env: { NAME: "blog", CHANCTL_HOME: `${project.root}/home` },
  });
  const browser = await launch({ caPath: dev.ready.caPath ?? "" });
  const page = await (await browser.newContext()).newPage();
  const cookieAt = async (url: string): Promise<string | null> => {
    await page.goto(url);
    return page.textContent("p");
  };
  const shopPort = new URL(dev.ready.url).port;
  const blogPort = new URL(blog.ready.url).port;
  await page.goto(`https://shop.localhost:${shopPort}/sign-in`);
  expect(await cookieAt(`https://shop.localhost:${shopPort}/`)).toBe("session=of-shop");
  expect(await cookieAt(`https://blog.localhost:${blogPort}/`)).toBe("no cookie");
  await page.goto(`https://localhost:${shopPort}/sign-in`);
  expect(await cookieAt(`https://localhost:${blogPort}/`)).toBe("session=of-shop");
});
