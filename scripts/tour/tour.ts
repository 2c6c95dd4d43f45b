import type { Browser, Page } from "playwright-core";
import type { Pane, Typed } from "./pane.ts";

/** One thing that the tour shows. */
export type Shown =
  | { readonly kind: "says"; readonly text: string }
  | ({ readonly kind: "types"; readonly where: string } & Typed)
  | { readonly kind: "edits"; readonly path: string; readonly changed: string; readonly isNew: boolean }
  | { readonly kind: "picture"; readonly name: string; readonly alt: string };

/** What a tour is played with. */
export interface Stage {
  /** The project's folder, absolute. */
  readonly folder: string;
  /** The terminal in which chanctl runs. */
  readonly dev: Pane;
  /** A second terminal. */
  readonly beside: Pane;
  /** And one more. */
  readonly third: Pane;
  /** What `npm install` takes. */
  readonly tarball: string;
  /** Flags for `chanctl dev`. @default none, but another port where its own is taken */
  readonly devFlags: string | undefined;
  /** Opens the browser of the person: it trusts whom they trust. */
  readonly openBrowser: () => Promise<Browser>;
  /** Says, as a heading or a sentence, what comes next. */
  readonly say: (text: string) => void;
  /** Notes what a pane has shown. */
  readonly show: (where: "dev" | "beside" | "third", typed: Promise<Typed>) => Promise<string>;
  /** Writes a file of the project, as an editor does. */
  readonly edit: (path: string, text: string) => Promise<void>;
  /** Shoots a terminal or a page. */
  readonly shoot: (
    what: Pane | Page,
    picture: { readonly name: string; readonly alt: string },
  ) => Promise<void>;
}

/** A tour of chanctl in one kind of project. */
export interface Tour {
  readonly name: string;
  readonly title: string;
  /** The project's folder, which gives the app its name. */
  readonly folder: string;
  /** Makes the project as it is before chanctl, up to the packages; what takes long may be done beside others. */
  install(stage: Stage): Promise<void>;
  readonly parts: Parts;
  /** The pictures that are kept. @default all */
  readonly pictures?: readonly string[];
}

/** What differs from one kind of project to the next. */
export interface Parts {
  /** What the output of `init` ends with. */
  readonly initShows: readonly (string | RegExp)[];
  /** Writes what `init` has told to write. */
  follow(stage: Stage): Promise<void>;
  /** Opens the app as two people. */
  open(browser: Browser, origin: string): Promise<readonly [Page, Page]>;
  say(page: Page, text: string): Promise<void>;
  /** Edits what is on the page, and waits until the page shows it. */
  editPage(stage: Stage, page: Page): Promise<void>;
  /** A file of the app without which it does not start, as it is and with a mistake in it. */
  readonly appFile: { readonly path: string; readonly good: string; readonly bad: string };
}
