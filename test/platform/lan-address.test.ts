import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { listLanAddresses, listLanNames, listPublicAddresses } from "#src/platform/lan-address.ts";

function at(address: string, internal = false): NetworkInterfaceInfo[] {
  const common = { address, internal, netmask: "", mac: "", cidr: null };
  return [address.includes(":") ? { ...common, family: "IPv6", scopeid: 0 } : { ...common, family: "IPv4" }];
}

describe("listLanAddresses", () => {
  it.each([
    "docker0",
    "br-3f2a",
    "utun3",
    "tailscale0",
    "vEthernet (WSL)",
    "VMware Network Adapter VMnet8",
    "wg0",
  ])("puts %s after what a phone reaches", (virtual) => {
    const found = listLanAddresses({ [virtual]: at("172.17.0.1"), en0: at("192.168.1.5") });
    expect(found.map(({ address, isVirtual }) => [address, isVirtual])).toEqual([
      ["192.168.1.5", false],
      ["172.17.0.1", true],
    ]);
  });

  it.each(["en0", "eth0", "wlp3s0", "Wi-Fi", "Ethernet", "wlan0"])("takes %s for a real one", (name) => {
    expect(listLanAddresses({ [name]: at("10.0.0.7") })).toEqual([
      { address: "10.0.0.7", family: "IPv4", interfaceName: name, isVirtual: false },
    ]);
  });

  it("puts IPv6 after IPv4, and what nobody gave out last", () => {
    const found = listLanAddresses({
      en1: at("169.254.9.9"),
      en0: [...at("fd12::5"), ...at("172.31.255.1")],
    });
    expect(found.map(({ address }) => address)).toEqual(["172.31.255.1", "fd12::5", "169.254.9.9"]);
  });

  it.each(["203.0.113.5", "172.32.0.1", "100.64.0.1", "2001:db8::1"])(
    "leaves out %s, which is not private",
    (address) => {
      expect(listLanAddresses({ en0: at(address) })).toEqual([]);
      expect(listPublicAddresses({ en0: at(address) }).map((each) => each.address)).toEqual([address]);
    },
  );

  it.each(["192.168.1.5", "fd12::5", "169.254.9.9", "fe80::1"])(
    "does not take %s for a public one",
    (address) => expect(listPublicAddresses({ en0: at(address), lo: at("203.0.113.5", true) })).toEqual([]),
  );

  it("leaves out what needs a zone", () => expect(listLanAddresses({ en0: at("fe80::1") })).toEqual([]));

  it("leaves out what only this machine reaches, and asks the machine itself", () => {
    expect(listLanAddresses({ lo: at("127.0.0.1", true), x: at("10.0.0.1", true) })).toEqual([]);
    expect(listLanAddresses().every(({ address }) => !address.startsWith("127."))).toBe(true);
  });
});

describe("listLanNames", () => {
  it.each([
    ["mymac", ["mymac.local", "mymac"]],
    ["MyMac.local", ["mymac.local", "mymac"]],
    ["mymac.fritz.box", ["mymac.local", "mymac", "mymac.fritz.box"]],
    ["localhost", []],
    ["", []],
    ["it's mine", []],
  ])("gives for %j %j", (name, names) => {
    expect(listLanNames(name)).toEqual(names);
  });
});
