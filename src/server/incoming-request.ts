import { IncomingMessage } from "node:http";

/**
 * A request over HTTP/1.1 that ignores an offer to go on in HTTP/2, as Java's client makes with everything that it
 * sends in the clear. A server may do that (RFC 9110, section 7.8); over TLS HTTP/2 is agreed on without it.
 *
 * Node 20 gives every request with `Upgrade` to the listener of upgrades, without its body and for good, and asks
 * nobody but this property: https://github.com/nodejs/node/issues/4334.
 */
export class IncomingRequest extends IncomingMessage {
  /** Not `#private`: the constructor above this one sets it. */
  private wantsSwitch?: boolean | null;

  get upgrade(): boolean {
    return this.wantsSwitch === true && this.headers.upgrade?.toLowerCase() !== "h2c";
  }

  set upgrade(isWanted: boolean | null) {
    this.wantsSwitch = isWanted;
  }
}
