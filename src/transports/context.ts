import type { Authorizer } from "../auth/authorizer.ts";
import type { StreamTokens } from "../auth/stream-tokens.ts";
import type { Broker } from "../broker/broker.ts";
import type { Registry } from "../registry/registry.ts";
import type { Limits } from "../shared/limits.ts";
import type { Logger } from "../shared/logger.ts";
import type { BodyBudget } from "./body-budget.ts";
import type { Connections } from "./connections.ts";
import type { PublishRates } from "./publish-rates.ts";
import type { RefusalLog } from "./refusal-log.ts";

/** What every route needs. One for the public listener, one for the internal. */
export interface TransportContext {
  readonly broker: Broker;
  readonly registry: Registry;
  readonly authorizer: Authorizer;
  /** Verifies what clients of Durable Streams show. */
  readonly tokens: StreamTokens;
  readonly connections: Connections;
  /** The same for each way to publish by HTTP. */
  readonly publishRates: PublishRates;
  /** What the bodies of all requests to the listener may take together. */
  readonly bodies: BodyBudget;
  readonly refusals: RefusalLog;
  readonly limits: Limits;
  readonly allowedOrigins: readonly string[];
  /** The name of the config's file, for hints; absent: there is none. */
  readonly configName?: string;
  readonly logger: Logger;
  /**
   * Who stands behind the listener: strangers, whom the app is asked about; or the app and the operator, who
   * have shown the internal token and may do anything.
   */
  readonly audience: "public" | "internal";
}
