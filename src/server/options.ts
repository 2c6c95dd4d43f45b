import type { OutputLine } from "../app/output-lines.ts";
import type { JwtOptions } from "../auth/jwt-options.ts";
import type { DurableStreamsOptions } from "../transports/durable-streams/options.ts";
import type { Limits } from "../shared/limits.ts";
import type { Logger } from "../shared/logger.ts";
import type { PhoneOptions } from "./phone-routes.ts";

/** Everything the server needs to know, filled in and checked. Inner code takes only this form. */
export interface ServerOptions {
  /** The project's folder, absolute. */
  readonly root: string;
  /** The name of the config's file, for hints; absent: there is none. */
  readonly configName?: string;
  /** The folder of channel files, absolute. */
  readonly channels: string;
  /** The folder of the store, the token and run.json, absolute: `<root>/.chanctl`. */
  readonly stateFolder: string;
  readonly host: string;
  /** The public port; 0 picks a free one. */
  readonly port: number;
  /** Absent: plain HTTP. */
  readonly tls?: TlsOptions;
  /** Offer HTTP/2 beside HTTP/1.1; only over TLS. */
  readonly http2: boolean;
  /** Reload channel files when they are saved. */
  readonly watch: boolean;
  readonly app?: AppOptions;
  readonly internalHost: string;
  /** The internal listener's port; absent: the last run's if it is free, else any. */
  readonly internalPort?: number;
  /** The internal token; absent: the one in `<stateFolder>/token`, made if it is not there. */
  readonly token?: string;
  /** Origins beside the server's own that browsers may connect from: `https://app.example`. */
  readonly allowedOrigins: readonly string[];
  /**
   * Names that a request's host may be, beside `localhost`, all below it and addresses; one that begins with a dot
   * stands for itself and all below it. Absent: any name.
   */
  readonly allowedHosts?: readonly string[];
  /** This machine's names on its network: the public listener takes them beside `allowedHosts`. @default none */
  readonly ownHosts?: readonly string[];
  /** What phones of the local network are to trust; absent: none are expected. Only over TLS. */
  readonly phone?: PhoneOptions;
  /** How long an authorize call is tried again while the app refuses connections, in ms. */
  readonly authorizeRetryMs: number;
  readonly limits: Limits;
  /** `undefined`: Durable Streams are not served. */
  readonly durableStreams: DurableStreamsOptions | undefined;
  /** What signed stream tokens are signed with; absent: they are all refused. Never empty. */
  readonly streamsSecret?: string;
  /** How clients of Durable Streams show who they are; absent: they need not. */
  readonly jwt?: JwtOptions;
  /** The environment in which the app runs and definitions are loaded. */
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
}

export interface TlsOptions {
  /** PEM texts. */
  readonly cert: string;
  readonly key: string;
  /** The CA that clients must trust, where chanctl made it. */
  readonly caPath?: string;
  /** The name to show in URLs: `localhost`, `shop.localhost`. */
  readonly displayHost?: string;
}

/** The user's app: started by us (`command`), or running elsewhere (`url`). */
export type AppOptions =
  | {
      readonly command: string;
      /** 0: chanctl picks one. */
      readonly port: number;
      /** Called with each line that the app writes. */
      readonly onOutput?: (line: OutputLine) => void;
    }
  | { readonly url: string };
