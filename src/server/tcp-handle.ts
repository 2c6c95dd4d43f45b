import type { Duplex } from "node:stream";

/** What Node keeps of the kernel's socket. Nothing public tells or does what this does. */
export interface TcpHandle {
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize?: number;
  /** Reads from now on; where it does already, nothing changes. */
  readStart?(): unknown;
}

type WithHandle = Duplex & { readonly _handle?: TcpHandle | null };

/** A socket's own, without the TLS above it; absent once it is closed. */
export function tcpHandleOf({ _handle: handle }: WithHandle): TcpHandle | undefined {
  return handle ?? undefined;
}
