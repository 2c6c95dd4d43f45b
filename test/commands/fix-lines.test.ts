import { describe, expect, it } from "vitest";

import { commandLines } from "#src/commands/command-text.ts";
import { fixLines } from "#src/commands/fix-lines.ts";

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
    expect(commandLines('rm -f "/home/ada/my shop/ca.pem" a.pem', 30)).toEqual([
      "rm -f \\",
      '  "/home/ada/my shop/ca.pem" \\',
      "  a.pem",
    ]);
    expect(commandLines("su -c 'install -D a b && update-ca-certificates'", 30)).toEqual([
      "su -c 'install -D a b && \\",
      "  update-ca-certificates'",
    ]);
  });
});

describe("a fix", () => {
  const TRY = "PORT=35693 node --import tsx server.ts     run it by itself to see what is wrong";

  it("is as it was written where there is room", () => {
    expect(fixLines(TRY, 100)).toEqual([TRY]);
    expect(fixLines(`${TRY}\nnpm install`, Number.POSITIVE_INFINITY)).toEqual([TRY, "npm install"]);
  });

  it("keeps a command whole, with what it is for below it, broken between words", () => {
    const command = "PORT=35693 node --import tsx server.ts";
    expect(fixLines(TRY, 73)).toEqual([command, "    run it by itself to see what is wrong"]);
    expect(fixLines(TRY, 38)).toEqual([command, "    run it by itself to see what is", "    wrong"]);
  });

  it("breaks a command that is too long so that it runs, and a sentence at its spaces", () => {
    const add = "chanctl channel add chat --transport ws --param room:string";
    expect(fixLines(add, 40)).toEqual([
      "chanctl channel add chat --transport \\",
      "  ws --param room:string",
    ]);
    for (const sentence of [
      "rename the file, or begin its name with `_` if it is no channel",
      "chanctl says why where it runs; mend its file and save it",
      "export default defineChannel({ public: true, transport: 'ws' })",
    ]) {
      const lines = fixLines(sentence, 40);
      expect(lines).toHaveLength(2);
      expect(lines.join(" ")).toBe(sentence);
    }
  });
});
