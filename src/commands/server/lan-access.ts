import { X509Certificate } from "node:crypto";
import { lanUrls, publicUrls } from "./lan.ts";
import type { Lan } from "./lan.ts";

/** How others of the network come in at one moment, for programs: part of `ready`, and the fields of `network`. */
export interface LanAccess {
  /** The likeliest for a phone first; empty where this machine is in no network. */
  readonly urls: readonly string[];
  /** At addresses that are not private; absent: there is none. */
  readonly publicUrls?: readonly string[];
  /** What a phone opens first: the page that installs the CA, or the app where there is no TLS. */
  readonly phoneUrl?: string;
  /** The SHA-256 of the CA that the phone's page installs, to be compared there: `3F:2A:1B:…`. */
  readonly caFingerprint?: string;
}

/** Who comes in, and to what. */
export interface LanServer {
  readonly lan: Lan;
  /** The CA that phones are to trust, in PEM; absent: plain HTTP, and none is needed. */
  readonly caPem?: string | undefined;
  /** Where this machine opens the server. */
  readonly serverUrl: string;
}

/** The network as it is now. */
export function toLanAccess({ lan, caPem, serverUrl }: LanServer): LanAccess {
  const urls = lanUrls(lan, serverUrl).map(({ url }) => url);
  const open = publicUrls(lan, serverUrl);
  const [first] = urls;
  return {
    urls,
    ...(open.length === 0 ? {} : { publicUrls: open }),
    ...(first === undefined ? {} : { phoneUrl: caPem === undefined ? first : toPhonePage(first) }),
    ...(caPem === undefined ? {} : { caFingerprint: new X509Certificate(caPem).fingerprint256 }),
  };
}

/** Over plain HTTP: the phone takes no HTTPS from here yet. */
function toPhonePage(url: string): string {
  return `http://${new URL(url).host}/_chanctl/phone`;
}
