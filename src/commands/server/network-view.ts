import type { Io } from "../io.ts";
import { toLanAccess } from "./lan-access.ts";
import type { LanAccess } from "./lan-access.ts";
import { phoneText, urlRows } from "./lan-lines.ts";
import type { Lan } from "./lan.ts";

/** What is shown of the network where others come in, too. Looked up anew each time; whole lines. */
export interface NetworkView {
  /** By which URLs: rows like the banner's. */
  readonly urls: (serverUrl: string) => string;
  /** How a phone does, with the QR code where it fits; empty where there is nothing to it. */
  readonly phone: (serverUrl: string) => string;
  /** The same for programs. */
  readonly access: (serverUrl: string) => LanAccess;
}

/** @param options.caPem the CA that phones are to trust; absent: plain HTTP. */
export function createNetworkView(
  options: { readonly lan: Lan; readonly caPem: string | undefined },
  io: Io,
): NetworkView {
  return {
    urls: (serverUrl) => urlRows({ ...options, serverUrl }, io),
    phone: (serverUrl) => phoneText({ ...options, serverUrl }, io),
    access: (serverUrl) => toLanAccess({ ...options, serverUrl }),
  };
}
