/**
 * `npm run tour`: plays ten minutes with chanctl, as a stranger would, in a terminal and a browser, and makes docs/tour.
 *
 * `npm run tour -- express vite` plays some of them only. Fails where what is
 * expected does not come. Needs tmux, Chromium, certutil, and the npm registry.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { normalize } from "./tour/normalize.ts";
import { type Played, playTour } from "./tour/play.ts";
import { pictureName, toContentsPage, toTourPage } from "./tour/tour-page.ts";
import { empty } from "./tour/tours/empty.ts";
import { express } from "./tour/tours/express.ts";
import { next } from "./tour/tours/next.ts";
import { vite } from "./tour/tours/vite.ts";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));
const PAGES = join(REPOSITORY, "docs", "tour");
const TOURS = [empty, express, vite, next];

const names = process.argv.slice(2);
const unknown = names.find((name) => TOURS.every((tour) => tour.name !== name));
if (unknown !== undefined) {
  throw new Error(`there is no tour \`${unknown}\`: ${TOURS.map(({ name }) => name).join(", ")}`);
}
const chosen = TOURS.filter(({ name }) => names.length === 0 || names.includes(name));

const packed = await mkdtemp(join(tmpdir(), "tour-package-"));
try {
  const tarball = await pack(packed);
  await mkdir(PAGES, { recursive: true });
  await playAll(tarball);
  await writeFile(join(PAGES, "README.md"), toContentsPage(TOURS));
} finally {
  await rm(packed, { recursive: true, force: true });
}

async function pack(folder: string): Promise<string> {
  const args = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: REPOSITORY });
  return join(folder, stdout.trim().split("\n").at(-1) ?? "");
}

/** Packages are installed for all at once, which takes a minute; then one plays after the other, on the one port. */
async function playAll(tarball: string): Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  const runs = chosen.map((tour) => {
    const before = last;
    const run = playTour(tour, { tarball, turn: () => before }).then((played) => keep(played, tarball));
    last = run.catch(() => {}); // it is told of below; the next one still has its turn
    return run;
  });
  const results = await Promise.allSettled(runs);
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of the tours failed`);
}

async function keep({ tour, shown, pictures, home }: Played, tarball: string): Promise<void> {
  const stale = (await readdir(PAGES)).filter((file) => file.startsWith(`${tour.name}-`));
  for (const file of stale) await rm(join(PAGES, file));
  for (const [name, png] of pictures) await writeFile(join(PAGES, pictureName(tour.name, name)), png);
  await writeFile(join(PAGES, `${tour.name}.md`), normalize(toTourPage({ tour, shown }), { home, tarball }));
}
