import type { Machine } from "./machine.ts";

/** The families of Linux distributions that name their packages and folders alike. */
export type Distribution = "debian" | "fedora" | "arch" | "suse" | "alpine" | "unknown";

type Tool = "certutil" | "ca-certificates" | "keytool";

const PACKAGES: Readonly<
  Record<Distribution, Readonly<Record<Tool, string>> & { readonly install: string }>
> = {
  debian: {
    install: "apt install",
    certutil: "libnss3-tools",
    "ca-certificates": "ca-certificates",
    keytool: "default-jre-headless",
  },
  fedora: {
    install: "dnf install",
    certutil: "nss-tools",
    "ca-certificates": "ca-certificates",
    keytool: "java-latest-openjdk-headless",
  },
  arch: {
    install: "pacman -S",
    certutil: "nss",
    "ca-certificates": "ca-certificates",
    keytool: "jre-openjdk-headless",
  },
  suse: {
    install: "zypper install",
    certutil: "mozilla-nss-tools",
    "ca-certificates": "ca-certificates",
    keytool: "java-headless",
  },
  alpine: {
    install: "apk add",
    certutil: "nss-tools",
    "ca-certificates": "ca-certificates",
    keytool: "openjdk21-jre-headless",
  },
  unknown: {
    install: "install the package",
    certutil: "nss-tools",
    "ca-certificates": "ca-certificates",
    keytool: "openjdk",
  },
};

/** The names in `ID` and `ID_LIKE` by which a family is known. */
const FAMILY_NAMES: readonly (readonly [Distribution, readonly string[]])[] = [
  ["debian", ["debian", "ubuntu"]],
  ["fedora", ["fedora", "rhel", "centos"]],
  ["arch", ["arch"]],
  ["suse", ["suse", "opensuse", "sles"]],
  ["alpine", ["alpine"]],
];

/**
 * The family of this Linux.
 *
 * @see https://www.freedesktop.org/software/systemd/man/latest/os-release.html
 */
export function distributionOf({ files }: Pick<Machine, "files">): Distribution {
  const text = (files.read("/etc/os-release") ?? files.read("/usr/lib/os-release"))?.toString() ?? "";
  const names = Array.from(text.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm), ([, value = ""]) =>
    value.split(" "),
  );
  const family = FAMILY_NAMES.find(([, known]) => names.flat().some((name) => known.includes(name)));
  return family?.[0] ?? "unknown";
}

/** The command that brings a tool to this machine. */
export function installCommand(tool: Tool, machine: Machine): string {
  if (machine.platform === "darwin") return tool === "certutil" ? "brew install nss" : "brew install openjdk";
  const { install, [tool]: name } = PACKAGES[distributionOf(machine)];
  const sudo = machine.isRoot || install.startsWith("install") ? "" : "sudo ";
  return `${sudo}${install} ${name}`;
}
