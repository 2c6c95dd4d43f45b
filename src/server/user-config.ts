import type { JwtAlgorithm } from "../auth/jwt-options.ts";
import type { Limits } from "../shared/limits.ts";

/** What `chanctl.config.ts` may say. Flags and `CHANCTL_*` variables come before it, defaults after it. */
export interface UserConfig {
  /** In JSON: where editors find the schema, `./node_modules/chanctl/config.schema.json`. */
  readonly $schema?: string;
  /** The app that answers everything but the channels; absent: the broker runs alone. */
  readonly app?: UserApp;
  /** The folder of channel files, from the config's folder. @default "./channels" */
  readonly channels?: string;
  /** The public port; 0 picks a free one. @default 4433 */
  readonly port?: number;
  /** The address to listen on; `true` for all. @default "127.0.0.1" in `dev`, "0.0.0.0" in `serve` */
  readonly host?: string | boolean;
  /** The address of the internal listener, which the app talks to. @default "127.0.0.1" */
  readonly internalHost?: string;
  /** The internal listener's port; 0 picks a free one. @default the last run's, if it is free */
  readonly internalPort?: number;
  /** Origins beside the server's own that browsers may connect from: `https://app.example`. @default [] */
  readonly allowedOrigins?: readonly string[];
  /**
   * Names that browsers may reach the server by, beside `localhost`, all below it and addresses: `shop.test`, or
   * `.shop.test` with all below it. @default [] in `dev`, any name in `serve`
   */
  readonly allowedHosts?: readonly string[];
  /** How long the app is asked again while it refuses connections: `"10s"`, or ms. @default "10s" */
  readonly authorizeRetryMs?: number | string;
  /** The certificate that `serve` presents; `dev` makes its own. @default plain HTTP */
  readonly tls?: {
    /** PEM files, from the config's folder. */
    readonly cert: string;
    readonly key: string;
  };
  /** Durable Streams: `false` turns them off. */
  readonly durableStreams?: boolean | UserDurableStreams;
  /** What signed stream tokens are signed with (`chanctl token stream`). @default none: they are refused */
  readonly streamsSecret?: string;
  /** How clients of Durable Streams show who they are. @default they need not */
  readonly jwt?: UserJwt;
  /** Bounds on what clients can make grow; sizes also as `"64KiB"`, durations as `"10s"`. */
  readonly limits?: { readonly [Name in keyof Limits]?: number | string };
}

/** The app: started by chanctl (`command`), or running elsewhere (`url`). */
export type UserApp =
  | {
      /** A shell command line. It is given its port as `PORT`. */
      readonly command: string;
      /** The port that the app listens on; 0: chanctl picks one. @default 0 */
      readonly port?: number;
    }
  | {
      /**
       * Where the app answers: `http://127.0.0.1:3000`. Better an address than `localhost`, which is tried over IPv4
       * and IPv6: while the app is down, whoever has its port over the other is taken for it.
       */
      readonly url: string;
    };

/** How Durable Streams are served. */
export interface UserDurableStreams {
  /** @default true */
  readonly enabled?: boolean;
  /** Under which path. @default "/ds" */
  readonly path?: string;
  /** Clients need no JWT; whether they may is still asked. @default false */
  readonly skipAuth?: boolean;
  /** How long a long-poll waits, in s; decimals are allowed. @default 10 */
  readonly pollIntervalSecs?: number;
  /** How long an event stream lives before its client comes back, in s; decimals are allowed. @default 60 */
  readonly sseTtlSecs?: number;
  /** Anyone may read every stream, those of channels too. @default false */
  readonly publicStreams?: boolean;
  /** Anyone may create, append, close and delete, too: for tests and trusted networks. @default false */
  readonly publicWrites?: boolean;
}

/** How the JWTs of clients are verified: by a secret, or by public keys. */
export interface UserJwt {
  /** For HS256. */
  readonly secret?: string;
  /** The JWKS with the public keys, for RS256, ES256 and EdDSA. */
  readonly jwksUrl?: string;
  /** The only ones that are taken. @default all that go with the key */
  readonly algorithms?: readonly JwtAlgorithm[];
  /** What `aud` must hold. @default not checked */
  readonly audience?: string;
  /** What `iss` must be. @default not checked */
  readonly issuer?: string;
  /** Names the header and the parameter: `jid` is `X-JID` and `?jid=`. @default "jid" */
  readonly param?: string;
}

/** Gives a config its types; it comes back as it is. */
export function defineConfig(config: UserConfig): UserConfig {
  return config;
}
