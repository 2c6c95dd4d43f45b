import type { NetworkView } from "./network-view.ts";

/**
 * What a change of the network is to a phone: a QR code on the screen that leads to an address which is gone. It stays
 * good where only a VPN or a container engine has come or gone, or a laptop has woken up in the same network.
 */
export class PhoneNews {
  readonly #network: NetworkView;
  #serverUrl = "";
  #phoneUrl: string | undefined;

  constructor(network: NetworkView) {
    this.#network = network;
  }

  /** The banner shows how a phone comes in. */
  shown(serverUrl: string): void {
    this.#serverUrl = serverUrl;
    this.#phoneUrl = this.#network.access(serverUrl).phoneUrl;
  }

  /** What is to be shown now, whole lines; empty where what was shown last is still good, and where no phone comes in. */
  text(): string {
    const { phoneUrl } = this.#network.access(this.#serverUrl);
    if (phoneUrl === undefined || phoneUrl === this.#phoneUrl) return "";
    this.#phoneUrl = phoneUrl;
    const text = this.#network.phone(this.#serverUrl);
    return text.startsWith("\n") ? `${text}\n` : text;
  }
}
