import { homedir } from "node:os";
import { describe, expect, it } from "vitest";
import { openStores } from "#src/certs/trust/open-stores.ts";

import { palette } from "#src/commands/palette.ts";
import { uninstallFrom } from "#src/commands/trust/change-store.ts";
import { questionText } from "#src/commands/trust/question.ts";
import { rowText } from "#src/commands/trust/row-text.ts";
import { type StoreRow, toRow } from "#src/commands/trust/store-row.ts";
import { recordedMachine } from "../certs/trust/recorded-machine.ts";

const SUDO =
  "sudo install -D -m 644 /home/ada/.config/chanctl/ca.pem /usr/local/share/ca-certificates/c.crt && sudo update-ca-certificates";

/** A Debian with a Chromium. */
const FILES = {
  "/usr/local/share/ca-certificates/": "",
  "/usr/bin/update-ca-certificates": "",
  "/usr/bin/certutil": "",
  "/usr/bin/sudo": "",
};

describe("the question of `dev`", () => {
  it.each([60, 80])("breaks no word at %i columns, and says what needs root", (columns) => {
    const machine = recordedMachine({ env: { PATH: "/usr/bin" }, files: FILES });
    const missing = openStores({ ca: undefined, machine });
    const text = questionText(
      { ca: { path: `${homedir()}/.config/chanctl/ca.pem` }, missing },
      { color: false, columns },
    );
    expect(text.split("\n").filter((line) => line.length > columns)).toEqual([]);
    expect(text).toMatch(/system +\S+\n {17}needs root, asked for by itself\n {4}Chromium/);
  });
});

describe("the row of a store", () => {
  const trusted = { store: "system", kind: "system", state: "trusted", verifiedBy: "curl" } as const;
  const text = (row: StoreRow, columns: number): string =>
    rowText(row, { colors: palette(false), columns, isOpen: false });

  it.each([
    [80, "/usr/local/share/ca-certificates"],
    [60, "/home/ada/.pki/nssd"],
  ])("is one line of up to %i columns, and two where its place does not fit", (columns, place) => {
    const [line = "", ...rest] = text({ ...trusted, place: place.slice(0, columns - 48) }, columns).split(
      "\n",
    );
    expect([line.length <= columns, ...rest]).toEqual([true, ""]);
    const lines = text({ ...trusted, place: "x".repeat(columns - 47) }, columns).split("\n");
    expect(lines.map((each) => each.length)).toEqual([expect.any(Number), columns - 41, 0]);
  });

  it("keeps what is wider than its column apart from the place", () => {
    const reason = "`certutil` of NSS is not installed";
    const row = { ...trusted, state: "blocked", reason, place: "/home/ada/.pki/nssdb" } as const;
    expect(text(row, 100)).toContain(`${reason}     ${row.place}\n`);
  });

  it("of a Firefox that was never started says so, and below it what to do", async () => {
    const machine = recordedMachine({ env: { PATH: "/usr/bin" }, files: { "/usr/bin/firefox": "" } });
    const [store] = openStores({ ca: undefined, machine, kinds: ["firefox"] });
    if (store === undefined) throw new Error("there is no row");
    const row = toRow(store, await store.status({ verify: false }));
    expect(text(row, 60)).toBe(
      "  · Firefox      not used yet                   no profile\n      start Firefox once, then run this again\n",
    );
    const undone = await uninstallFrom(store, { mayRunAsRoot: async () => "yes", isTaken: () => true });
    expect(undone.row).toMatchObject({ state: "unused", reason: "not used yet" });
    expect(undone.row.note).toBeUndefined();
  });

  it("breaks no word at 60 columns", () => {
    const row = {
      store: "system",
      kind: "system",
      place: "/usr/local/share/ca-certificates",
      state: "untrusted",
      reason: "curl refuses it: SSL certificate problem: unable to get local issuer certificate",
      note: "restart Chromium (pid 4711) if it has shown the warning already: it keeps to that",
      others: [{ name: "chanctl local CA 1a2b3c4d", sha1: "5A0F".repeat(10) }],
      fix: SUDO,
    } as const;
    const text = rowText(row, { colors: palette(false), columns: 60, isOpen: true });
    expect(text.split("\n").filter((line) => line.length > 60)).toEqual([]);
    const words = text.replaceAll(/\s*\\?\n\s*/g, " ");
    for (const sentence of [row.reason, row.note, row.fix]) expect(words).toContain(sentence);
  });
});
