import { expect, it } from "vitest";
import { parseDefinition } from "#src/protocol/definition.ts";
import { Channel } from "#src/registry/channel.ts";
import { createSchemaCompiler } from "#src/registry/schema-check.ts";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";
import type { Lifecycle } from "#src/shared/lifecycle.ts";
import { connectionTerms } from "#src/transports/connection-terms.ts";
import type { TermsRequest } from "#src/transports/connection-terms.ts";

type Grant = ReturnType<TermsRequest["grant"]>;

const HOUR = 3_600_000;

function chatWith(lifecycle: Partial<Lifecycle>): Channel {
  const definition = parseDefinition("chat", { public: true, ...lifecycle });
  return new Channel(definition, { compileSchema: createSchemaCompiler(), limits: DEFAULT_LIMITS });
}

/** The terms of a connection to `chat`, whose definition the test saves anew, and whose grant it renews. */
function open(lifecycle: Partial<Lifecycle>, given: Partial<Grant> = {}) {
  let saved: Channel | undefined = chatWith(lifecycle);
  let grant: Grant = { overrides: {}, ...given };
  const terms = connectionTerms({ get: () => saved }, { channel: saved, grant: () => grant });
  return {
    terms,
    save: (changed: Partial<Lifecycle>) => void (saved = chatWith(changed)),
    remove: () => void (saved = undefined),
    renew: (renewed: Partial<Grant>) => void (grant = { overrides: {}, ...renewed }),
  };
}

it("end between 80 and 100 % of the lifetime, another for each connection", () => {
  const now = performance.now();
  const channel = chatWith({ maxConnectionLifetimeMs: HOUR });
  const begin = () => connectionTerms({ get: () => channel }, { channel, grant: () => ({ overrides: {} }) });
  const ends = Array.from({ length: 1_000 }, () => (begin().endsAt - now) / HOUR);
  expect(Math.min(...ends)).toBeGreaterThanOrEqual(0.8);
  expect(Math.max(...ends)).toBeLessThanOrEqual(1.01);
  expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(0.15);
});

it("end no later than the grant", () => {
  const left = open({}, { expiresAt: Date.now() + 1_000_000 }).terms.endsAt - performance.now();
  expect(left).toBeLessThanOrEqual(1_001_000);
  expect(left).toBeGreaterThan(0);
  expect(open({}, { expiresAt: Date.now() - 1 }).terms.endsAt).toBeLessThan(performance.now());
});

it("are those of the definition that was saved last, with the same spread, and outlive it", () => {
  const startedAt = performance.now();
  const { terms, save, remove } = open({ maxConnectionLifetimeMs: HOUR });
  const lived = terms.endsAt - startedAt;
  save({ maxConnectionLifetimeMs: 2 * HOUR, keepaliveIntervalMs: 5_000, replayWindowMs: 7 });
  expect(terms).toMatchObject({ keepaliveIntervalMs: 5_000, replayWindowMs: 7 });
  expect((terms.endsAt - startedAt) / lived).toBeCloseTo(2, 3);
  remove();
  expect(terms.replayWindowMs).toBe(86_400_000);
});

it("keep what the app chose for this connection, whatever is saved", () => {
  const overrides = { keepaliveIntervalMs: 2_000, replayWindowMs: 0 };
  const { terms, save } = open({}, { overrides });
  save({ keepaliveIntervalMs: 5_000, replayWindowMs: 7, maxConnectionLifetimeMs: HOUR });
  expect(terms).toMatchObject(overrides);
  expect(terms.endsAt).toBeLessThanOrEqual(performance.now() + HOUR);
});

it("are those of a new grant, which does not begin a new life", () => {
  const { terms, renew } = open({ maxConnectionLifetimeMs: HOUR });
  const { endsAt } = terms;
  renew({ overrides: { keepaliveIntervalMs: 2_000 }, expiresAt: Date.now() + 2 * HOUR });
  expect(terms).toMatchObject({ keepaliveIntervalMs: 2_000, endsAt });
  renew({ overrides: { maxConnectionLifetimeMs: HOUR / 2 } });
  expect(terms.endsAt).toBeLessThanOrEqual(endsAt - 0.4 * HOUR);
  renew({});
  expect(terms).toMatchObject({ endsAt });
  renew({ expiresAt: Date.now() + 1_000 });
  expect(terms.endsAt).toBeLessThanOrEqual(performance.now() + 1_000);
});
