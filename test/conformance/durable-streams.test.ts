import { runConformanceTests } from "@durable-streams/server-conformance-tests";
import { afterAll, beforeAll } from "vitest";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

const POLL_TIMEOUT_MS = 500;

let server: TestServer | undefined;
/** The suite reads the URL when a test runs, not before. */
const options = { baseUrl: "", subscriptions: true, longPollTimeoutMs: POLL_TIMEOUT_MS };

beforeAll(async () => {
  server = await startTestServer({
    durableStreams: {
      path: "/v1/stream",
      pollTimeoutMs: POLL_TIMEOUT_MS,
      sseTtlMs: 60_000,
      skipsAuthentication: false,
      publicStreams: true,
      publicWrites: true,
    },
  });
  options.baseUrl = server.url;
});

afterAll(() => server?.[Symbol.asyncDispose]());

runConformanceTests(options);
