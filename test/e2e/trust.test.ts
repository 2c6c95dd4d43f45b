import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestContext } from "vitest";

import { runCli } from "../commands/cli.ts";
import { type StartedServer, startDev } from "../commands/dev-project.ts";
import { makeProject, type TempProject } from "../commands/temp-project.ts";
import { launchChromium, requireChromium } from "../support/chromium.ts";
import { launchFirefox, type TestTab } from "../support/firefox.ts";
import { PATIENT } from "../support/patient.ts";
import { requirePrograms } from "../support/requires.ts";

const VITE = fileURLToPath(new URL("../../node_modules/vite", import.meta.url));
const RELOADED_PART = (text: string) =>
  `document.querySelector("h1").textContent = "${text}";\nimport.meta.hot?.accept();\n`;

/** A vite app and a channel of each transport. */
const FILES = {
  "vite.config.js":
    'export default { server: { host: "127.0.0.1", port: Number(process.env.PORT), strictPort: true } };',
  "index.html": '<!doctype html><h1></h1><script type="module" src="/part.js"></script>',
  "part.js": RELOADED_PART("first"),
  "channels/news.json": JSON.stringify({ public: true }),
  "channels/chat.json": JSON.stringify({ transport: "ws", public: true }),
};

/** In the page: ten readers of one channel, what each has read, and a socket of another. */
const CONNECT = `
  window.loaded = Math.random();
  window.read = [];
  window.sources = Array.from({ length: 10 }, (_, reader) => {
    const source = new EventSource("/channels/news");
    source.onmessage = ({ data }) => window.read.push(reader + ":" + JSON.parse(data).data);
    return source;
  });
  window.frames = [];
  window.socket = new WebSocket("wss://" + location.host + "/channels/chat");
  window.socket.onmessage = ({ data }) => window.frames.push(data);
  window.loaded`;

interface Person {
  readonly home: string;
  readonly project: TempProject;
  readonly dev: StartedServer;
}

interface OpenBrowser {
  open(url: string): Promise<TestTab>;
  close(): Promise<void>;
}

interface BrowserCase {
  readonly name: string;
  readonly require: (context: TestContext) => void;
  /** What the browser needs to be there before `trust`, in a home folder. */
  readonly prepare: (home: string) => Promise<unknown>;
  readonly launch: (home: string) => Promise<OpenBrowser>;
}

const BROWSERS: readonly BrowserCase[] = [
  {
    name: "Chromium",
    require: requireChromium,
    prepare: async () => {},
    async launch(home) {
      const launched = await launchChromium({ home });
      const open = async (url: string): Promise<TestTab> => {
        const page = await launched.browser.newPage();
        await page.goto(url);
        return page;
      };
      return { open, close: () => launched.close() };
    },
  },
  {
    name: "Firefox",
    require: (context) => requirePrograms(context, "firefox-esr", "certutil"),
    prepare: (home) =>
      promisify(execFile)("firefox-esr", ["--headless", "-CreateProfile", "work"], {
        env: { ...process.env, HOME: home, XDG_CONFIG_HOME: "" },
      }),
    launch: (home) => launchFirefox({ home, profile: "work" }),
  },
];

/** No flag of any browser ignores a certificate here: what `chanctl trust` did is all that lets a page load. */
describe.each(BROWSERS)("$name of a person who ran `chanctl trust`", (browserCase) => {
  let person: Person;
  let browser: OpenBrowser | undefined;
  let tab: TestTab;

  beforeAll(async () => {
    const home = await mkdtemp(join(tmpdir(), "chanctl-person-"));
    const project = await makeProject(FILES);
    await mkdir(join(project.root, "node_modules/.bin"), { recursive: true });
    await symlink(VITE, join(project.root, "node_modules/vite"), "dir");
    const dev = await startDev(project, {
      command: ["dev", "--", "node", "node_modules/vite/bin/vite.js"],
      env: envOf(home),
    });
    person = { home, project, dev };
    await dev.cli.until(({ stdout }) => stdout.includes('"event":"app-ready"'));
  });

  afterAll(async () => {
    await browser?.close();
    await person?.dev[Symbol.asyncDispose]();
    await person?.project[Symbol.asyncDispose]();
    if (person) await rm(person.home, { recursive: true, force: true, maxRetries: 5 });
  });

  it("is refused before it, and loads the app after it", async (context) => {
    browserCase.require(context);
    const { home, project, dev } = person;
    await browserCase.prepare(home);
    const stranger = await browserCase.launch(home);
    await expect(stranger.open(dev.ready.url)).rejects.toThrow(
      /CERT_AUTHORITY_INVALID|insecure|UNKNOWN_ISSUER/i,
    );
    await stranger.close();

    const trust = await runCli(["trust", "--store", "nss,firefox"], { cwd: project.root, env: envOf(home) });
    expect(trust.code).toBe(0);
    browser = await browserCase.launch(home);
    tab = await browser.open(dev.ready.url);
    await expect.poll(() => tab.evaluate("document.querySelector('h1').textContent"), PATIENT).toBe("first");
    expect(await tab.evaluate("location.protocol + isSecureContext")).toBe("https:true");
  });

  it("has ten EventSources live at once, beside a WebSocket", async (context) => {
    browserCase.require(context);
    await tab.evaluate(CONNECT);
    const states =
      "window.sources.filter(({ readyState }) => readyState === 1).length + window.socket.readyState";
    await expect.poll(() => tab.evaluate(states), PATIENT).toBe(11);
    const publish = (channel: string, data: string) =>
      runCli(["publish", channel, data], { cwd: person.project.root });
    expect((await publish("news", '"hello"')).code).toBe(0);
    const heard = Array.from({ length: 10 }, (_, reader) => `${reader}:hello`);
    await expect.poll(() => tab.evaluate("window.read.toSorted()"), PATIENT).toEqual(heard);
    expect((await publish("chat", '"to the socket"')).code).toBe(0);
    await expect.poll(() => tab.evaluate("window.frames.join()"), PATIENT).toContain("to the socket");
  });

  it("takes a hot update of vite into the page as it is", async (context) => {
    browserCase.require(context);
    const loaded = await tab.evaluate("window.loaded");
    await person.project.write({ "part.js": RELOADED_PART("second") });
    await expect.poll(() => tab.evaluate("document.querySelector('h1').textContent"), PATIENT).toBe("second");
    expect(await tab.evaluate("window.loaded")).toBe(loaded);
  });

  it("loads the project's own name too", async (context) => {
    browserCase.require(context);
    const named = new URL(person.dev.ready.url);
    named.hostname = "shop.localhost";
    const other = await (browser as OpenBrowser).open(named.href);
    await expect
      .poll(() => other.evaluate("document.querySelector('h1').textContent"), PATIENT)
      .toBe("second");
  });
});

function envOf(home: string): Record<string, string> {
  const unset = { CHANCTL_HOME: "", XDG_CONFIG_HOME: "", XDG_DATA_HOME: "" };
  return { HOME: home, npm_config_nodedir: "/usr", ...unset };
}
