import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "playwright-core";
import { findListening } from "#src/platform/find-listening.ts";
import { appGroups, membersOf } from "./processes.ts";
import type { Stage, Tour } from "./tour.ts";

/** The port of `chanctl dev`, which somebody else on this machine may have. */
const DEFAULT_PORT = 4433;
const HELLO = "hello from one browser to the other";
const APP_READY = /● app ready on/;

/** Plays what is the same in every project, from `chanctl init` to Ctrl-C. */
export async function playChapters({ folder, parts }: Tour, stage: Stage): Promise<void> {
  await init(stage, parts.initShows);
  await parts.follow(stage);
  await trust(stage);
  const origin = await startDev(stage, folder);
  const browser = await stage.openBrowser();
  stage.say(`## The app\n\nTwo people open ${origin}; one says something.`);
  const pages = await parts.open(browser, origin);
  const [, other] = pages;
  await stage.show(
    "dev",
    stage.dev.watch(() => parts.say(pages[0], HELLO), /publish .*chat/),
  );
  await other.getByText(HELLO).waitFor();
  await stage.shoot(other, { name: "app", alt: "The app in the browser of the second person" });
  stage.say("A page is edited.");
  await parts.editPage(stage, other);
  await addChannel(stage);
  await talk(stage, other);
  await crash(stage, { page: other, appFile: parts.appFile });
  await keys(stage);
  await doctor(stage);
  await stop(stage);
}

/** Adds chanctl to the project, as the README says it. */
export async function addChanctl({ show, dev, tarball, say }: Stage): Promise<void> {
  say("## Install");
  await show("dev", dev.runLong(`npm install ${tarball}`, /added \d+ packages/));
}

async function init(stage: Stage, expected: Tour["parts"]["initShows"]): Promise<void> {
  const { show, dev, say, shoot } = stage;
  say("## Init");
  await dev.clear();
  await show("dev", dev.start("npx chanctl init", "Write this?"));
  await show("dev", dev.end("y", "Next:", ...expected));
  await shoot(dev, { name: "init", alt: "chanctl init" });
}

async function trust({ show, dev, say, shoot }: Stage): Promise<void> {
  say("## Trust");
  await dev.clear();
  await show("dev", dev.run("npx chanctl trust", /Chromium +trusted/));
  await shoot(dev, { name: "trust", alt: "chanctl trust" });
}

async function startDev({ show, dev, say, shoot, devFlags }: Stage, folder: string): Promise<string> {
  say("## Dev");
  await dev.clear();
  const isTaken = (await findListening(DEFAULT_PORT)) !== undefined;
  const command = `npx chanctl dev ${devFlags ?? (isTaken ? "--port 0" : "")}`.trimEnd();
  const shown = await show("dev", dev.start(command, `https://${folder}.localhost:`, APP_READY));
  await shoot(dev, { name: "dev", alt: "chanctl dev" });
  return /https:\/\/[a-z-]+\.localhost:\d+/.exec(shown)?.[0] ?? "";
}

async function addChannel({ show, dev, beside, say, shoot, edit, folder }: Stage): Promise<void> {
  say("## A second channel\n\nIt is live as soon as its file is there.");
  const command = "npx chanctl channel add orders --transport sse --param id:string";
  let shown = "";
  await show(
    "dev",
    dev.watch(async () => {
      shown = await show("beside", beside.run(command, "wrote channels/orders."));
    }, /channel orders added/),
  );
  const path = /wrote (\S+)/.exec(shown)?.[1] ?? "";
  const good = await readFile(join(folder, path), "utf8");
  await settled(dev);
  say("A mistake is saved: the last good version stays live.");
  const bad = good.replace('transport: "sse",', 'transport: "sse"');
  await show(
    "dev",
    dev.watch(() => edit(path, bad), /orders\.\w+:\d+:\d+/, "1 broken"),
  );
  await shoot(dev, { name: "mistake", alt: "A definition that does not load, with its place" });
  say("And mended.");
  await show(
    "dev",
    dev.watch(() => edit(path, good), /reload +channel orders/),
  );
  await settled(dev);
}

async function talk({ show, beside, third, say, shoot }: Stage, page: Page): Promise<void> {
  say("## From the terminal\n\n`tail` follows the room, `publish` speaks in it; the browsers show it too.");
  await beside.clear();
  await show("beside", beside.start("npx chanctl tail chat --room lobby -n 10", HELLO));
  await show(
    "beside",
    beside.watch(async () => {
      const data = `'{"text":"hello from the terminal"}'`;
      await show("third", third.run(`npx chanctl publish chat --room lobby --type message ${data}`));
    }, "hello from the terminal"),
  );
  await page.getByText("hello from the terminal").waitFor();
  await shoot(beside, { name: "tail", alt: "chanctl tail" });
  await show("beside", beside.end("C-c"));
}

interface CrashOptions {
  readonly page: Page;
  readonly appFile: Tour["parts"]["appFile"];
}

async function crash(stage: Stage, { page, appFile }: CrashOptions): Promise<void> {
  const { show, dev, say, shoot, edit, folder } = stage;
  say("## The app crashes\n\nIts process is killed (`kill -9`): it is started again.");
  const kill = async (): Promise<void> => {
    for (const group of await appGroups(folder)) process.kill(-group, "SIGKILL");
  };
  await show("dev", dev.watch(kill, /starting it again/, APP_READY));
  say("Then it is saved with a mistake and restarted with `r`: the page says what is wrong.");
  await edit(appFile.path, appFile.bad);
  await show("dev", dev.press("r", /app crashed|does not start/));
  await page.goto(page.url());
  await page.getByText("The app has crashed").waitFor();
  await shoot(page, { name: "crash-page", alt: "The page that stands in for the app" });
  await shoot(dev, { name: "crash", alt: "The app crashes" });
  say("Mended, it is back; the page reloads by itself.");
  await edit(appFile.path, appFile.good);
  await show("dev", dev.press("r", APP_READY));
  await page.getByText(HELLO).waitFor();
}

async function keys({ show, dev, say, shoot }: Stage): Promise<void> {
  say("## Keys");
  await show("dev", dev.press("h", "clear the screen"));
  await show("dev", dev.press("i", "store"));
  await shoot(dev, { name: "info", alt: "The keys h and i" });
}

async function doctor({ show, beside, say, shoot }: Stage): Promise<void> {
  say("## Doctor");
  await beside.clear();
  await show("beside", beside.run("npx chanctl doctor"));
  await shoot(beside, { name: "doctor", alt: "chanctl doctor" });
}

async function stop({ show, dev, say, folder }: Stage): Promise<void> {
  say("## The end\n\nCtrl-C: the prompt is back, and no process is left.");
  const groups = await appGroups(folder);
  await show("dev", dev.end("C-c"));
  const left = [...(await membersOf(groups)), ...(await dev.children())];
  if (left.length > 0) throw new Error(`still there after Ctrl-C: ${left.join(", ")}`);
}

/** A saved channel starts the app anew: its lines come some time after that of the channel. */
async function settled(dev: Stage["dev"]): Promise<void> {
  await delay(1_500);
  await dev.untilLastLine(APP_READY);
}
