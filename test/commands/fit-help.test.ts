import { describe, expect, it } from "vitest";

import { fitHelp, helpColumns } from "#src/commands/help.ts";

describe("a help", () => {
  it("is drawn no wider than 100 columns, and no narrower than 40", () => {
    expect([20, 60, 80, 200].map(helpColumns)).toEqual([40, 60, 80, 100]);
  });

  it("keeps its lines where they fit", () => {
    const text = "Follows a channel.\n\n  $ chanctl dev --host      phones too\n";
    expect(fitHelp(text, 80)).toBe(text);
  });

  it("breaks a sentence below what follows its label", () => {
    expect(fitHelp("Follows a channel in the terminal.\nExit codes: 0 ok, 1 failure, 2 usage", 24)).toBe(
      "Follows a channel in the\nterminal.\nExit codes: 0 ok, 1\n            failure, 2\n            usage",
    );
  });

  it("puts what an example is for below it", () => {
    expect(fitHelp("  $ chanctl dev --host                  phones too: scan the QR code", 60)).toBe(
      "  $ chanctl dev --host\n      phones too: scan the QR code",
    );
  });

  it.each([
    '  $ chanctl publish chat --room lobby --type message \'{"text":"hi there"}\'',
    '  $ curl -H "Authorization: Bearer $token" https://localhost:4433/ds/jobs/42',
    "  fish   npx chanctl completion fish > ~/.config/fish/completions/chanctl.fish",
  ])("breaks %j so that it still runs", (example) => {
    const fitted = fitHelp(example, 60);
    expect(fitted.split("\n").filter((line) => line.length > 60)).toEqual([]);
    expect(fitted).toContain(" \\\n");
    expect(fitted.replaceAll(/ \\\n +/g, " ")).toBe(example);
  });
});
