import type { AnchorLayout } from "./system-store.ts";
import type { Distribution } from "./tool-packages.ts";

/** The layouts of the system's store on Linux, by the folder that only that family has. */
export const ANCHOR_LAYOUTS: readonly (AnchorLayout & { readonly families: readonly Distribution[] })[] = [
  {
    families: ["fedora"],
    anchors: "/etc/pki/ca-trust/source/anchors",
    extension: "pem",
    update: ["update-ca-trust", "extract"],
    bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  },
  {
    families: ["arch"],
    anchors: "/etc/ca-certificates/trust-source/anchors",
    extension: "crt",
    update: ["trust", "extract-compat"],
    bundle: "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
  },
  {
    families: ["suse"],
    anchors: "/etc/pki/trust/anchors",
    extension: "pem",
    update: ["update-ca-certificates"],
    bundle: "/var/lib/ca-certificates/ca-bundle.pem",
  },
  {
    families: ["debian", "alpine"],
    anchors: "/usr/local/share/ca-certificates",
    extension: "crt",
    update: ["update-ca-certificates"],
    // A removed CA stays in /etc/ssl/certs as a dangling link until all links are made anew.
    refresh: ["update-ca-certificates", "--fresh"],
    // Either way its hooks are told of what was added alone: what ca-certificates-java has copied stays.
    javaCopy: {
      hook: "/etc/ca-certificates/update.d/jks-keystore",
      cacerts: "/etc/ssl/certs/java/cacerts",
    },
    bundle: "/etc/ssl/certs/ca-certificates.crt",
  },
];
