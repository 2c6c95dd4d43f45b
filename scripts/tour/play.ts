import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Browser } from "playwright-core";
import { launchChromium, type TestBrowser } from "../../test/support/chromium.ts";
import { changedLines } from "./changed-lines.ts";
import { playChapters } from "./chapters.ts";
import { Pane } from "./pane.ts";
import { makePerson } from "./person.ts";
import { terminalPicture } from "./terminal-picture.ts";
import type { Shown, Stage, Tour } from "./tour.ts";
import { withoutMachine } from "./without-machine.ts";

const WHERE = { dev: "", beside: "in a second terminal", third: "in a third terminal" } as const;

/** In a page: takes the home folder out of the output of the app that it shows. */
const HIDE_PLACE = `(home) => {
  for (const pre of document.querySelectorAll("pre")) pre.textContent = pre.textContent.replaceAll(home, "~");
}`;

interface PlayOptions {
  readonly tarball: string;
  /** Flags for `chanctl dev`. @default none, but another port where its own is taken */
  readonly devFlags?: string;
  /** Resolves when it is this tour's turn: the port of `chanctl dev` is one person's at a time. */
  readonly turn?: () => Promise<unknown>;
}

/** What a tour has shown. */
export interface Played {
  readonly tour: Tour;
  readonly shown: readonly Shown[];
  readonly pictures: ReadonlyMap<string, Buffer>;
  /** The person's home folder, as it stands in what was shown. */
  readonly home: string;
}

/** Plays a tour from the empty home folder on. Whatever it started has ended when it returns. */
export async function playTour(tour: Tour, options: PlayOptions): Promise<Played> {
  await using person = await makePerson();
  const { home } = person;
  const folder = join(home, tour.folder);
  await mkdir(folder);
  await using dev = new Pane(await person.openTerminal(tour.folder));
  await using beside = new Pane(await person.openTerminal(tour.folder));
  await using third = new Pane(await person.openTerminal(tour.folder));
  const shown: Shown[] = [];
  const pictures = new Map<string, Buffer>();
  const screens = new Map<string, string>();
  let browser: TestBrowser | undefined;
  const openBrowser = async (): Promise<Browser> => (browser ??= await launchChromium({ home })).browser;
  const stage: Stage = {
    folder,
    dev,
    beside,
    third,
    tarball: options.tarball,
    devFlags: options.devFlags,
    openBrowser,
    say: (text) => void shown.push({ kind: "says", text }),
    async show(where, step) {
      const typed = await step;
      const { keys } = typed;
      shown.push({ kind: "types", where: WHERE[where], keys, shown: withoutMachine(typed.shown, home) });
      return typed.shown;
    },
    async edit(path, text) {
      const place = join(folder, path);
      const before = await readFile(place, "utf8").catch(() => undefined);
      await mkdir(dirname(place), { recursive: true });
      await writeFile(place, text);
      shown.push({ kind: "edits", path, changed: changedLines(before, text), isNew: before === undefined });
    },
    async shoot(what, { name, alt }) {
      if (tour.pictures?.includes(name) === false) return;
      if (what instanceof Pane) screens.set(name, withoutMachine(await what.colors(), home));
      else {
        await what.evaluate(`(${HIDE_PLACE})(${JSON.stringify(home)})`);
        pictures.set(name, await what.screenshot());
      }
      shown.push({ kind: "picture", name, alt });
    },
  };
  try {
    await tour.install(stage);
    await options.turn?.();
    await playChapters(tour, stage);
    for (const [name, ansi] of screens) pictures.set(name, await terminalPicture(await openBrowser(), ansi));
    return { tour, shown, pictures, home };
  } finally {
    await browser?.close();
  }
}
