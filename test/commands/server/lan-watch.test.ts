import { describe, expect, it, onTestFinished } from "vitest";

import type { LanAccess } from "#src/commands/server/lan-access.ts";
import { LanWatch } from "#src/commands/server/lan-watch.ts";
import type { LogEntry } from "#src/shared/logger.ts";
import { PATIENT } from "../../support/patient.ts";

/** A watch over a network that the test changes, and what was done in which order. */
function setUp(beforeTelling?: () => Promise<void>) {
  const log: LogEntry[] = [];
  const network: { now: LanAccess } = { now: { urls: ["https://10.0.0.1"] } };
  const watch = new LanWatch({
    access: () => network.now,
    beforeTelling,
    logger: (entry) => void log.push(entry),
    checkIntervalMs: 2,
  });
  onTestFinished(() => watch.close());
  return { log, network, watch };
}

describe("LanWatch", () => {
  it("tells each change once, public URLs and the loss of all too", async () => {
    const { log, network } = setUp();
    network.now = { urls: ["https://10.0.0.2"], publicUrls: ["https://203.0.113.5"] };
    await expect.poll(() => log.length, PATIENT).toBe(1);
    network.now = { urls: [] };
    await expect.poll(() => log.length, PATIENT).toBe(2);
    expect(log).toEqual([
      {
        level: "info",
        event: "network",
        message: "the network has changed: https://10.0.0.2  https://203.0.113.5 (not private)",
        fields: { urls: ["https://10.0.0.2"], publicUrls: ["https://203.0.113.5"] },
      },
      expect.objectContaining({
        message: "the network has changed: no address but the loopback's",
        fields: { urls: [] },
      }),
    ]);
  });

  it("tells the URLs of the moment at which the certificate is for them", async () => {
    const steps: string[] = [];
    const { log, network } = setUp(async () => {
      steps.push(`certificate, ${log.length} told`);
      network.now = { urls: ["https://10.0.0.3"] };
    });
    network.now = { urls: ["https://10.0.0.2"] };
    await expect.poll(() => log.length, PATIENT).toBe(1);
    expect(steps).toEqual(["certificate, 0 told"]);
    expect(log[0]?.fields).toEqual({ urls: ["https://10.0.0.3"] });
  });

  it("closes twice, and tells nothing that it was about to", async () => {
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const { log, network, watch } = setUp(async () => begin());
    network.now = { urls: [] };
    await begun;
    await Promise.all([watch.close(), watch.close()]);
    expect(log).toEqual([]);
  });
});
