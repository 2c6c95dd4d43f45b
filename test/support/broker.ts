import { onTestFinished } from "vitest";
import { Broker } from "#src/broker/broker.ts";
import type { BrokerOptions, PublishRequest } from "#src/broker/broker.ts";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";
import { resolveLifecycle } from "#src/shared/lifecycle.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Opens a broker, closed when the test ends. */
export async function openBroker(options: Partial<BrokerOptions> = {}): Promise<Broker> {
  const broker = await Broker.open({
    folder: temporaryFolder(),
    logger: () => {},
    limits: DEFAULT_LIMITS,
    ...options,
  });
  onTestFinished(() => broker.close());
  return broker;
}

/** A publish of the app to `chat`, but for what is given. */
export function publishRequest({
  texts = ["0"],
  ...rest
}: Partial<PublishRequest> & { readonly texts?: readonly string[] } = {}): PublishRequest {
  return {
    path: "chat",
    channel: "chat",
    lifecycle: resolveLifecycle({}),
    drafts: texts.map((dataText) => ({ type: "message", dataText })),
    publisher: { kind: "app" },
    ...rest,
  };
}
