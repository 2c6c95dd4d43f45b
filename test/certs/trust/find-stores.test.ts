import { describe, expect, it } from "vitest";
import { findStores, type StorePlace } from "#src/certs/trust/find-stores.ts";
import { recordedMachine, type RecordedMachineOptions } from "./recorded-machine.ts";

const CERTUTIL = { "/usr/bin/certutil": "" };

/** The stores in one line each: what they are and where. */
function placesOf(options: RecordedMachineOptions): string[] {
  const env = { PATH: "/usr/local/bin:/usr/bin", ...options.env };
  return findStores(recordedMachine({ ...options, env })).map(toLine);
}

function toLine(place: StorePlace): string {
  switch (place.kind) {
    case "anchors":
      return `system ${place.layout.anchors} ${place.layout.update.join(" ")}`;
    case "nss":
    case "firefox":
      return `${place.kind} ${place.folder}`;
    case "firefox-follows":
      return `firefox ${place.folder} follows ${place.from}`;
    case "java-home-wrong":
      return `java ${place.javaHome} ${place.fix}`;
    case "java":
      return `java ${place.cacerts} ${place.keytool}`;
    case "windows":
      return place.isWsl ? "windows from WSL" : "windows";
    case "firefox-unused":
    case "keychain":
    default:
      return place.kind;
  }
}

describe("the system's store", () => {
  it.each([
    [
      "Debian",
      "/usr/local/share/ca-certificates",
      "/usr/sbin/update-ca-certificates",
      "update-ca-certificates",
    ],
    ["Fedora", "/etc/pki/ca-trust/source/anchors", "/usr/bin/update-ca-trust", "update-ca-trust extract"],
    ["Arch", "/etc/ca-certificates/trust-source/anchors", "/usr/bin/trust", "trust extract-compat"],
    ["openSUSE", "/etc/pki/trust/anchors", "/usr/sbin/update-ca-certificates", "update-ca-certificates"],
  ])("of %s is where its tool looks", (_, anchors, tool, command) => {
    expect(placesOf({ files: { [`${anchors}/`]: "", [tool]: "" } })).toEqual([
      `system ${anchors} ${command}`,
    ]);
  });

  it.each([
    ["ID=ubuntu\nID_LIKE=debian", "/usr/local/share/ca-certificates"],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"', "/etc/pki/ca-trust/source/anchors"],
    ["ID=manjaro\nID_LIKE=arch", "/etc/ca-certificates/trust-source/anchors"],
    ['ID="opensuse-leap"\nID_LIKE="suse opensuse"', "/etc/pki/trust/anchors"],
    ["ID=alpine", "/usr/local/share/ca-certificates"],
  ])("is known by os-release where nothing is installed yet: %j", (text, anchors) => {
    expect(placesOf({ files: { "/etc/os-release": text } })[0]).toContain(`system ${anchors}`);
  });

  it("of WSL is that of Linux and that of Windows, whose browser is in front", () => {
    const files = {
      "/usr/local/share/ca-certificates/": "",
      "/usr/sbin/update-ca-certificates": "",
      "/mnt/c/Windows/System32/certutil.exe": "",
    };
    const env = { PATH: "/usr/bin:/mnt/c/Windows/System32", WSL_DISTRO_NAME: "Ubuntu" };
    expect(placesOf({ files, env }).slice(0, 2)).toEqual([
      "system /usr/local/share/ca-certificates update-ca-certificates",
      "windows from WSL",
    ]);
  });
});

describe("Chromium's store", () => {
  const old = "/home/ada/.pki/nssdb";
  const xdg = "/home/ada/.local/share/pki/nssdb";

  it("is the old place where there is none yet: every version reads that", () => {
    expect(placesOf({ files: CERTUTIL })).toEqual([`nss ${old}`]);
  });

  it("is the new place alone where only that is there: an old one would hide it", () => {
    expect(placesOf({ files: { ...CERTUTIL, [`${xdg}/cert9.db`]: "" } })).toEqual([`nss ${xdg}`]);
  });

  it("is both where both are there", () => {
    const files = { ...CERTUTIL, [`${xdg}/cert9.db`]: "", [`${old}/cert9.db`]: "" };
    expect(placesOf({ files })).toEqual([`nss ${old}`, `nss ${xdg}`]);
  });

  it("is where XDG_DATA_HOME says", () => {
    const files = { ...CERTUTIL, "/data/pki/nssdb/cert9.db": "" };
    expect(placesOf({ files, env: { XDG_DATA_HOME: "/data" } })).toEqual(["nss /data/pki/nssdb"]);
  });

  it("is looked for in snap and flatpak too", () => {
    const snap = "/home/ada/snap/chromium/current/.local/share/pki/nssdb";
    const flatpak = "/home/ada/.var/app/org.chromium.Chromium/data/pki/nssdb";
    const files = { ...CERTUTIL, [`${snap}/cert9.db`]: "", [`${flatpak}/cert9.db`]: "" };
    expect(placesOf({ files })).toEqual([`nss ${old}`, `nss ${snap}`, `nss ${flatpak}`]);
  });

  it("is named, with what to install, where a Chromium is there and `certutil` is not", () => {
    expect(placesOf({ files: { "/usr/bin/google-chrome": "" } })).toEqual([`nss ${old}`]);
  });

  it("is nothing on a machine with neither", () => {
    expect(placesOf({})).toEqual([]);
  });
});

describe("Firefox's stores", () => {
  it("are those of every profile: old place, XDG place, snap, flatpak, and what profiles.ini names", () => {
    const folders = [
      "/home/ada/.mozilla/firefox/a.default",
      "/home/ada/.mozilla/firefox/b.work",
      "/srv/profiles/ada",
      "/home/ada/.config/mozilla/firefox/c.default",
      "/home/ada/snap/firefox/common/.mozilla/firefox/d.default",
      "/home/ada/.var/app/org.mozilla.firefox/.mozilla/firefox/e.default",
    ];
    const files = {
      ...Object.fromEntries(folders.map((folder) => [`${folder}/cert9.db`, ""])),
      "/home/ada/.mozilla/firefox/Crash Reports/InstallTime": "",
      "/home/ada/.mozilla/firefox/profiles.ini":
        "[Profile0]\nIsRelative=1\nPath=a.default\n[Profile1]\nIsRelative=0\nPath=/srv/profiles/ada\n",
    };
    expect(placesOf({ files })).toEqual(folders.map((folder) => `firefox ${folder}`));
  });

  it("do not exist before its first start", () => {
    expect(placesOf({ files: { "/usr/bin/firefox": "" } })).toEqual(["firefox-unused"]);
  });

  it("follow the system's on macOS and Windows", () => {
    const mac = "/Users/ada/Library/Application Support/Firefox/Profiles/a.default";
    expect(
      placesOf({ platform: "darwin", homedir: "/Users/ada", files: { [`${mac}/cert9.db`]: "" } }),
    ).toEqual(["keychain", `firefox ${mac} follows the macOS keychain`]);
  });

  it("are written on macOS where NSS is there", () => {
    const mac = "/Users/ada/Library/Application Support/Firefox/Profiles/a.default";
    const files = { [`${mac}/cert9.db`]: "", "/opt/homebrew/opt/nss/bin/certutil": "" };
    expect(placesOf({ platform: "darwin", homedir: "/Users/ada", files })).toEqual([
      "keychain",
      `firefox ${mac}`,
    ]);
  });
});

describe("Java's store", () => {
  it.each(["/opt/jdk/lib/security/cacerts", "/opt/jdk/jre/lib/security/cacerts"])(
    "is %s where JAVA_HOME is set",
    (path) => {
      expect(
        placesOf({ files: { [path]: "", "/opt/jdk/bin/keytool": "" }, env: { JAVA_HOME: "/opt/jdk" } }),
      ).toEqual([`java ${path} /opt/jdk/bin/keytool`]);
    },
  );

  it("is left alone without JAVA_HOME", () => {
    expect(placesOf({ files: { "/opt/jdk/lib/security/cacerts": "" } })).toEqual([]);
  });

  it("is nowhere where JAVA_HOME is no Java's folder: the Java of the PATH is named", () => {
    const env = { JAVA_HOME: "/tmp/nope", PATH: "/opt/jdk/bin" };
    expect(placesOf({ env })).toEqual(["java /tmp/nope unset JAVA_HOME"]);
    const files = { "/opt/jdk/bin/java": "", "/opt/jdk/lib/security/cacerts": "" };
    expect(placesOf({ env, files })).toEqual(["java /tmp/nope export JAVA_HOME=/opt/jdk"]);
  });
});
