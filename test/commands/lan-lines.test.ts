import { X509Certificate } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { toLanAccess } from "#src/commands/server/lan-access.ts";
import { phoneText, urlRows } from "#src/commands/server/lan-lines.ts";
import type { Lan } from "#src/commands/server/lan.ts";
import { isAtLocalhost, lanUrls, openLan, toCertificateHosts } from "#src/commands/server/lan.ts";
import { renderQrCode } from "#src/commands/server/qr-code.ts";
import { makeTestCertificates } from "../support/certificates.ts";

const LAN: Lan = {
  names: ["mymac.local"],
  addresses: () => [
    { address: "192.168.1.5", family: "IPv4", interfaceName: "en0", isVirtual: false },
    { address: "fd12::5", family: "IPv6", interfaceName: "en0", isVirtual: false },
    { address: "172.17.0.1", family: "IPv4", interfaceName: "docker0", isVirtual: true },
  ],
  publicAddresses: () => [],
};
const OPEN = { address: "203.0.113.5", family: "IPv4", interfaceName: "eth0", isVirtual: false } as const;
const serverUrl = "https://localhost:4433";
const terminal = { color: false, columns: 100, rows: 24, isOutputTerminal: true };
const piped = { ...terminal, isOutputTerminal: false };

/** The modules of a code that was drawn, dark ones as true. */
function readModules(lines: readonly string[], { isInkDark }: { isInkDark: boolean }): boolean[][] {
  const plain = lines.map((line) => stripVTControlCharacters(line));
  return plain.flatMap((line) => [
    line.split("").map((ink) => "█▀".includes(ink) === isInkDark),
    line.split("").map((ink) => "█▄".includes(ink) === isInkDark),
  ]);
}

describe("the QR code", () => {
  it("has the same modules in colours and without, and quiet around them", () => {
    const dark = readModules(renderQrCode("http://192.168.1.5:4433/", { color: true }), { isInkDark: true });
    const light = readModules(renderQrCode("http://192.168.1.5:4433/", { color: false }), {
      isInkDark: false,
    });
    expect(light.slice(0, -1)).toEqual(dark.slice(0, -1)); // the last may be half a line
    const size = dark[0]?.length ?? 0;
    for (const border of [0, 1]) {
      expect(dark[border]).not.toContain(true);
      expect(dark.map((row) => row[border])).not.toContain(true);
      expect(dark.map((row) => row[size - 1 - border])).not.toContain(true);
    }
    expect(dark[2]?.slice(2, 10)).toEqual([...Array.from({ length: 7 }, () => true), false]); // a finder's edge
  });

  it("says black and white by number, whatever the theme calls so", () => {
    expect(
      renderQrCode("x", { color: true }).every((line) => line.startsWith("\u001b[38;5;16;48;5;231m")),
    ).toBe(true);
  });
});

describe("what is shown where others of the network come in", () => {
  it("is a URL for each address, and which are not of a real network", () => {
    expect(urlRows({ lan: LAN, serverUrl }, terminal)).toBe(
      "  network   https://192.168.1.5:4433\n" +
        "            https://[fd12::5]:4433\n" +
        "            https://172.17.0.1:4433 (docker0)\n",
    );
  });

  it("is on a terminal the code of the phone's page, and the CA's fingerprint beside it", async () => {
    await using certificates = await makeTestCertificates();
    const text = phoneText({ lan: LAN, serverUrl, caPem: certificates.caPem }, terminal);
    for (const line of renderQrCode("http://192.168.1.5:4433/_chanctl/phone", terminal))
      expect(text).toContain(line.trimEnd());
    expect(text).toContain("http://192.168.1.5:4433/_chanctl/phone");
    expect(text.match(/(?:[\dA-F]{2}:){7}[\dA-F]{2}$/gm)).toHaveLength(4);
    expect(text.split("\n").every((line) => line.length <= 80)).toBe(true);
  });

  it("puts the code below the text where both do not fit beside each other, so that all of it is on the screen", async () => {
    await using certificates = await makeTestCertificates();
    const options = { lan: LAN, serverUrl, caPem: certificates.caPem };
    const narrow = phoneText(options, { ...terminal, columns: 60 });
    expect(narrow).toMatch(/\n {2}On a phone of the same network\n[^]*\n[ ▀▄█]+\n$/);
    expect(narrow.split("\n").every((line) => line.length <= 60)).toBe(true);
  });

  it.each([
    ["narrow", { columns: 30 }],
    ["low", { rows: 18 }],
  ])("shows no code where the terminal is too %s for all of it", async (_, size) => {
    await using certificates = await makeTestCertificates();
    const options = { lan: LAN, serverUrl, caPem: certificates.caPem };
    const text = phoneText(options, { ...terminal, ...size });
    expect(text).not.toMatch(/[▀▄█]/);
    expect(text).toContain("http://192.168.1.5:4433/_chanctl/phone");
    expect(text.match(/^ {2}(?:[\dA-F]{2}:){7}[\dA-F]{2}$/gm)).toHaveLength(4);
  });

  it("is without a terminal the URL of the phone's page and the whole fingerprint", async () => {
    await using certificates = await makeTestCertificates();
    const { caPem } = certificates;
    const { fingerprint256 } = new X509Certificate(caPem);
    expect(phoneText({ lan: LAN, serverUrl, caPem }, piped)).toBe(
      "  phone     http://192.168.1.5:4433/_chanctl/phone\n" +
        "            installs the CA, then opens the app;\n" +
        `            compare the CA's fingerprint there: ${fingerprint256}\n`,
    );
    expect(phoneText({ lan: LAN, serverUrl }, piped)).toBe(""); // the first URL is all
  });

  it("leads a phone straight to the app where there is no TLS", () => {
    const text = phoneText({ lan: LAN, serverUrl: "http://localhost:80" }, terminal);
    expect(text).toContain("   http://192.168.1.5\n");
    expect(text).not.toContain("fingerprint");
  });

  it("says of which addresses more than the network comes in, with or without private ones", () => {
    const publicAddresses = () => [OPEN];
    expect(urlRows({ lan: { ...LAN, publicAddresses }, serverUrl }, piped)).toContain(
      "            https://172.17.0.1:4433 (docker0)\n            https://203.0.113.5:4433 (not private)\n",
    );
    expect(urlRows({ lan: { names: [], addresses: () => [], publicAddresses }, serverUrl }, terminal)).toBe(
      "  network   https://203.0.113.5:4433 (not private)\n",
    );
  });

  it("says so where there is no address for others", () => {
    const lan = { names: [], addresses: () => [], publicAddresses: () => [] };
    expect(phoneText({ lan, serverUrl }, terminal)).toBe("");
    expect(urlRows({ lan, serverUrl }, terminal)).toBe(
      "  network   no address but the loopback's: this machine is in no network\n",
    );
    expect(urlRows({ lan, serverUrl }, { ...terminal, columns: 60 })).toBe(
      "  network   no address but the loopback's: this machine is\n            in no network\n",
    );
  });
});

describe("what programs are told of the network", () => {
  it("is the URLs, the phone's page and the CA's fingerprint", async () => {
    await using certificates = await makeTestCertificates();
    const { caPem } = certificates;
    expect(toLanAccess({ lan: { ...LAN, publicAddresses: () => [OPEN] }, serverUrl, caPem })).toEqual({
      urls: ["https://192.168.1.5:4433", "https://[fd12::5]:4433", "https://172.17.0.1:4433"],
      publicUrls: ["https://203.0.113.5:4433"],
      phoneUrl: "http://192.168.1.5:4433/_chanctl/phone",
      caFingerprint: new X509Certificate(caPem).fingerprint256,
    });
  });

  it("is without TLS the app as what a phone opens", () => {
    const access = toLanAccess({ lan: LAN, serverUrl: "http://localhost:4433" });
    expect(access.phoneUrl).toBe("http://192.168.1.5:4433");
    expect(access).not.toHaveProperty("caFingerprint");
  });
});

describe("openLan", () => {
  it.each(["127.0.0.1", "127.0.0.2", "::1", "localhost"])("opens nothing for %s", (host) => {
    expect(openLan(host)).toBeUndefined();
  });

  it("gives for one address that one only, with its URL", () => {
    const lan = openLan("203.0.113.5");
    expect(lan?.addresses()).toEqual([]);
    expect(lanUrls(LAN, "https://x.example:1").map(({ url }) => url)).toEqual([
      "https://192.168.1.5:1",
      "https://[fd12::5]:1",
      "https://172.17.0.1:1",
    ]);
  });
});

it("a name with a dot in front is itself and a wildcard for the certificate", () => {
  expect(toCertificateHosts(["a.test", ".b.test"])).toEqual(["a.test", "b.test", "*.b.test"]);
});

it("`localhost` leads to a server on all addresses and on the loopback, and to no other", () => {
  expect(["127.0.0.1", "::1", "0.0.0.0", "::", "localhost"].map(isAtLocalhost)).not.toContain(false);
  expect(["192.168.1.5", "127.0.0.2", "fd12::5"].map(isAtLocalhost)).not.toContain(true);
});
