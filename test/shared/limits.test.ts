import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, resolveLimits } from "#src/shared/limits.ts";

describe("resolveLimits", () => {
  it("has the defaults of page 2", () => {
    expect(resolveLimits()).toEqual({
      maxMessageBytes: 65_536,
      maxParamsBytes: 2_048,
      maxPublishBytes: 1_048_576,
      maxBodyBytesTotal: 268_435_456,
      maxBatchMessages: 1_000,
      maxConnections: 10_000,
      maxConnectionsPerSubject: 100,
      maxConnectionsPerAddress: 1_000,
      maxPublishesPerSec: 50,
      publishBurst: 100,
      maxAuthorizeCalls: 256,
      maxUnsentBytes: 1_048_576,
      maxUnsentBytesTotal: 268_435_456,
      maxHeaderBytes: 16_384,
      authFrameWaitMs: 5_000,
      handshakeTimeoutMs: 10_000,
    });
  });

  it("changes what is given, and nothing else", () => {
    expect(resolveLimits({ maxConnections: 5, publishBurst: undefined })).toEqual({
      ...DEFAULT_LIMITS,
      maxConnections: 5,
    });
  });

  it.each([0, -1, 1.5, "5", null, Number.POSITIVE_INFINITY, 2 ** 53])("refuses %j as a limit", (value) => {
    expect(() => resolveLimits({ maxConnections: value })).toThrow(
      "`limits.maxConnections` must be a positive whole number",
    );
  });

  it("names the limit that was meant, or all of them", () => {
    expect(() => resolveLimits({ maxConnection: 5 })).toThrow(
      expect.objectContaining({ code: "config_invalid", hint: "did you mean `limits.maxConnections`?" }),
    );
    expect(() => resolveLimits({ bananas: 5 })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("maxBatchMessages") }),
    );
  });
});
