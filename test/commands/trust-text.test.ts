import { describe, expect, it } from "vitest";

import { palette } from "#src/commands/palette.ts";
import { commandLines } from "#src/commands/trust/command-text.ts";
import { rowText } from "#src/commands/trust/row-text.ts";

const SUDO =
  "sudo install -D -m 644 /home/ada/.config/chanctl/ca.pem /usr/local/share/ca-certificates/c.crt && sudo update-ca-certificates";

describe("a command on a narrow terminal", () => {
  it("is broken between words by a backslash, so that it runs when it is copied", () => {
    const lines = commandLines(SUDO, 56);
    expect(lines.every((line) => line.length <= 56)).toBe(true);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join("\n").replaceAll(/ \\\n +/g, " ")).toBe(SUDO);
  });

  it("keeps a quoted word whole, and breaks inside of what `su -c` is given", () => {
    expect(commandLines("keytool -delete -alias 'chanctl local CA 1a2b3c4d'", 30)).toEqual([
      "keytool -delete -alias \\",
      "  'chanctl local CA 1a2b3c4d'",
    ]);
    expect(commandLines("su -c 'install -D a b && update-ca-certificates'", 30)).toEqual([
      "su -c 'install -D a b && \\",
      "  update-ca-certificates'",
    ]);
  });

  it("has its comment below, and is one line where there is room", () => {
    expect(commandLines("chanctl trust     makes it", 20)).toEqual(["chanctl trust", "    makes it"]);
    expect(commandLines(SUDO, Infinity)).toEqual([SUDO]);
  });
});

describe("the row of a store", () => {
  it("has its place in a line of its own where one line would be a column too long", () => {
    const row = { store: "Chromium", kind: "nss", place: "/home/a/.pki", state: "untrusted" } as const;
    const textAt = (columns: number) => rowText(row, { colors: palette(false), columns, isOpen: true });
    expect(textAt(61)).toHaveLength(62);
    expect(textAt(60).split("\n")[1]).toBe(`      ${row.place}`);
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
