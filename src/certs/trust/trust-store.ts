/** The kinds of stores that `--store` names. */
export const STORE_KINDS = ["system", "nss", "firefox", "java"] as const;

/** `nss` is the store of Chromium and its relatives; each Firefox profile has one of its own. */
export type StoreKind = (typeof STORE_KINDS)[number];

/** Whether a store trusts the CA. */
export type TrustState =
  /** `verifiedBy` names the program that accepted a real handshake, or the chain. */
  | { readonly kind: "trusted"; readonly verifiedBy?: string }
  /** `reason` where it is not simply absent. */
  | { readonly kind: "untrusted"; readonly reason?: string }
  /** It reads another store too, by itself. */
  | { readonly kind: "inherited"; readonly from: string }
  /** There is nothing yet that could trust, and it is nobody's fault; `note` says what would change that. */
  | { readonly kind: "unused"; readonly reason: string; readonly note: string }
  /** Nobody can tell what it holds; `fix` is what helps. */
  | { readonly kind: "unreadable"; readonly reason: string; readonly fix: string }
  /** Something is missing on this machine; `fix` is the command that brings it. */
  | { readonly kind: "blocked"; readonly reason: string; readonly fix: string };

/** How closely to look. */
export interface StatusOptions {
  /** Prove it by a handshake or the store's own tool, which starts processes; otherwise files are read. */
  readonly verify: boolean;
}

/** What a step did, where a person has to know more than that it worked. */
export interface StoreChange {
  /** What to do now: "restart Firefox". */
  readonly note?: string;
  /** What ran, for a person to repeat where the store shows nothing of it. */
  readonly command?: string;
}

/** A CA of chanctl that a store holds. */
export interface StoredAuthority {
  readonly name: string;
  /** Hexadecimal, capitals, without colons. */
  readonly sha1: string;
  /** `false` for one of another user or config folder, which may be gone. */
  readonly isOwn: boolean;
}

/** One place on this machine that can trust the CA. Nothing is written before `install` or `uninstall`. */
export interface TrustStore {
  readonly kind: StoreKind;
  /** Whose it is: "system", "Chromium", "Firefox". */
  readonly name: string;
  /** Where it is: a path, or the words of the platform. */
  readonly place: string;
  /** The lines that run as root, which a person must have allowed; absent where the user may write. */
  readonly asRoot?: {
    readonly install: string;
    uninstall(taken: readonly StoredAuthority[]): Promise<string>;
  };
  status(options: StatusOptions): Promise<TrustState>;
  /**
   * Adds the CA. Twice is as good as once.
   *
   * @throws {ChanctlError} `trust_failed` with what the store's tool said.
   */
  install(): Promise<StoreChange>;
  /**
   * Takes out these of the CAs that it holds, each by its fingerprint, whatever name it has there; nothing else.
   *
   * @throws {ChanctlError} `trust_failed` with what the store's tool said.
   */
  uninstall(taken: readonly StoredAuthority[]): Promise<StoreChange>;
  /** The CAs of chanctl in it: the user's own, and those of other users and config folders, which may be gone. */
  held(): Promise<readonly StoredAuthority[]>;
  /** Removes what `install` has made beside the CA, where nobody else has put anything there. */
  tidy?(): Promise<StoreChange>;
}
