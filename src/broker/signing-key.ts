import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  sign,
} from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Log } from "./log.ts";
import type { SubscriptionReader } from "./subscription-reader.ts";

/** A public key as receivers of webhooks look it up. */
export interface PublicJwk {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly kid: string;
  readonly use: "sig";
  readonly alg: "EdDSA";
  readonly x: string;
}

/**
 * The key that webhooks are signed with.
 *
 * @see PROTOCOL.md, section 6.5
 */
export class SigningKey {
  readonly jwk: PublicJwk;
  /** What callback and claim tokens are signed with. Derived, so that no receiver takes one for a signed document. */
  readonly tokenSecret: Buffer;
  readonly #privateKey: KeyObject;

  /** @param text PKCS #8, in base64. */
  constructor(text: string) {
    const der = Buffer.from(text, "base64");
    this.#privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    const { x = "" } = createPublicKey(this.#privateKey).export({ format: "jwk" });
    // The members that RFC 7638 (section 3.2, with RFC 8037, section 2) takes, in its order.
    const thumbprint = createHash("sha256").update(JSON.stringify({ crv: "Ed25519", kty: "OKP", x }));
    const kid = `ds_${thumbprint.digest("base64url")}`;
    this.jwk = { kty: "OKP", crv: "Ed25519", kid, use: "sig", alg: "EdDSA", x };
    this.tokenSecret = Buffer.from(hkdfSync("sha256", der, "", "chanctl wake tokens", 32));
  }

  /**
   * The `Webhook-Signature` of a body.
   *
   * @param timeSecs in s since 1970; receivers refuse one that is far from theirs.
   * @see PROTOCOL.md, section 7.1
   */
  signatureOf(body: string, timeSecs: number): string {
    const signature = sign(null, Buffer.from(`${timeSecs}.${body}`), this.#privateKey);
    return `t=${timeSecs},kid=${this.jwk.kid},ed25519=${signature.toString("base64url")}`;
  }
}

/** Finds the store's signing key, and makes it where there is none. */
export class SigningKeys {
  readonly #log: Log;
  readonly #reader: SubscriptionReader;
  #loading: Promise<SigningKey> | undefined;

  constructor({ log, reader }: { readonly log: Log; readonly reader: SubscriptionReader }) {
    this.#log = log;
    this.#reader = reader;
  }

  /** @throws {ChanctlError} `store_full`, `store_unavailable`. */
  load(): Promise<SigningKey> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  async #load(): Promise<SigningKey> {
    const known = this.#reader.signingKey();
    return new SigningKey(known ?? (await this.#make()));
  }

  /** Another node may make one at the same time: whichever is in the log first is everybody's. */
  async #make(): Promise<string> {
    const { privateKey } = generateKeyPairSync("ed25519");
    const text = privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
    const [result] = await this.#log.propose([{ kind: "set-signing-key", privateKey: text }]);
    if (result?.kind === "signing-key") return result.privateKey;
    throw new Error(`a signing key came to \`${result?.kind}\``);
  }
}
