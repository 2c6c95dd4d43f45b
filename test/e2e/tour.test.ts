import { expect, it } from "vitest";
import { linkPackages } from "../../scripts/tour/linked.ts";
import { normalize } from "../../scripts/tour/normalize.ts";
import { playTour } from "../../scripts/tour/play.ts";
import { toTourPage } from "../../scripts/tour/tour-page.ts";
import { empty } from "../../scripts/tour/tours/empty.ts";
import { requireChromium } from "../support/chromium.ts";
import { requirePrograms } from "../support/requires.ts";

/** The packages are linked: `npm run tour` installs them. */
it("plays ten minutes in an empty folder, from `init` to Ctrl-C", { timeout: 120_000 }, async (context) => {
  requirePrograms(context, "tmux", "bash", "ps");
  requireChromium(context);
  const played = await playTour({ ...empty, install: linkPackages }, { tarball: "", devFlags: "--port 0" });
  const page = normalize(toTourPage(played), { home: played.home, tarball: "chanctl.tgz" });
  expect(page).toContain('channels/orders.ts:5:3: Expected "}" but found "paramsSchema"');
  expect(page).toContain("app exited with code 1; starting it again");
  expect(page).not.toContain(played.home);
  expect(played.pictures.size).toBeGreaterThan(7);
});
