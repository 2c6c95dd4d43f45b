import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Clock } from "#src/broker/clock.ts";
import type { Operation } from "#src/broker/operation.ts";
import { SigningKeys } from "#src/broker/signing-key.ts";
import type { Store } from "#src/broker/store.ts";
import { SubscriptionScheduler } from "#src/broker/subscription-scheduler.ts";
import type { Webhook, WebhookOutcome, WebhookSender } from "#src/broker/webhook.ts";
import { WebhookAttempts } from "#src/broker/webhook-attempts.ts";
import { PATIENT } from "../support/patient.ts";
import { openStore } from "../support/store.ts";
import { create, subscribe } from "../support/subscriptions.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const logger = (): void => {};

/** A sender whose attempts wait until the test says what became of them. */
class HeldSender implements WebhookSender {
  readonly sent: { readonly webhook: Webhook; readonly settle: (outcome: WebhookOutcome) => void }[] = [];
  #underWay = 0;
  /** How many were under way at a time at most. */
  most = 0;

  async send(webhook: Webhook, signal: AbortSignal): Promise<WebhookOutcome> {
    this.#underWay += 1;
    this.most = Math.max(this.most, this.#underWay);
    const outcome = await new Promise<WebhookOutcome>((settle) => {
      this.sent.push({ webhook, settle });
      signal.addEventListener("abort", () => settle({ kind: "failed", message: "broken off" }));
    });
    this.#underWay -= 1;
    return outcome;
  }
}

function partsOf(store: Store) {
  const reader = store.reader.subscriptions;
  return {
    log: store,
    reader,
    clock: new Clock({ notBefore: store.reader.lastTime(), logger }),
    keys: new SigningKeys({ log: store, reader }),
    logger,
  };
}

function startScheduler(
  store: Store,
  sender: WebhookSender,
  options: { readonly slowAfterMs?: number } = {},
): SubscriptionScheduler {
  const scheduler = new SubscriptionScheduler({ ...partsOf(store), sender, ...options });
  onTestFinished(() => scheduler.close());
  return scheduler;
}

function webhook(id: string, host = `${id}.example`) {
  const webhookUrl = `https://${host}/hook`;
  return subscribe({ id, time: Date.now(), config: { type: "webhook", pattern: `${id}/*`, webhookUrl } });
}

describe("the scheduler of subscriptions (7)", () => {
  it("finds at its start what became due while there was none", async () => {
    const folder = temporaryFolder();
    const earlier = await openStore({ folder });
    await earlier.propose([webhook("sub"), create("/sub/a", { bodies: ["1"] })]);
    await earlier.close();
    const sender = new HeldSender();
    startScheduler(await openStore({ folder }), sender);
    await vi.waitFor(() => expect(sender.sent).toHaveLength(1), PATIENT);
  });

  it("finds what was committed and told nobody", async () => {
    const sender = new HeldSender();
    const store = await openStore();
    await store.propose([webhook("sub")]);
    let tell: (() => void) | undefined;
    const deaf = {
      propose: (operations: readonly Operation[]) => store.propose(operations),
      follow: ({ onUncertain }: { readonly onUncertain?: () => void }) => {
        tell = onUncertain;
        return () => {};
      },
    };
    const scheduler = new SubscriptionScheduler({ ...partsOf(store), log: deaf, sender });
    onTestFinished(() => scheduler.close());
    await store.propose([create("/sub/a", { bodies: ["1"] })]);
    tell?.();
    await vi.waitFor(() => expect(sender.sent).toHaveLength(1), PATIENT);
  });

  it("sends a bounded number at a time, and the others when there is room", async () => {
    const sender = new HeldSender();
    const store = await openStore();
    startScheduler(store, sender);
    const ids = Array.from({ length: 70 }, (_, index) => `sub-${index}`);
    await store.propose(ids.map((id) => webhook(id)));
    await store.propose(ids.map((id) => create(`/${id}/a`, { bodies: ["1"] })));
    await vi.waitFor(() => expect(sender.sent).toHaveLength(64), PATIENT);
    for (const { settle } of sender.sent.slice(0, 6)) settle({ kind: "accepted" });
    await vi.waitFor(() => expect(sender.sent).toHaveLength(70), PATIENT);
    expect(sender.most).toBe(64);
  });

  it("sends few at a time to one origin, so that a receiver which never answers holds up nobody else", async () => {
    const sender = new HeldSender();
    const store = await openStore();
    const ids = Array.from({ length: 450 }, (_, index) => `sub-${index}`);
    await store.propose(ids.map((id) => webhook(id, "tarpit.example")));
    await store.propose(ids.map((id) => create(`/${id}/a`, { bodies: ["1"] })));
    startScheduler(store, sender);
    const hosts = (): string[] => sender.sent.map(({ webhook: { url } }) => new URL(url).host);
    await vi.waitFor(() => expect(hosts()).toHaveLength(8), PATIENT);
    await store.propose([webhook("other"), create("/other/a", { bodies: ["1"] })]);
    await vi.waitFor(() => expect(hosts()).toContain("other.example"), PATIENT);
    expect(hosts()).toHaveLength(9);
    sender.sent[0]?.settle({ kind: "accepted" });
    await vi.waitFor(() => expect(hosts()).toHaveLength(10), PATIENT);
    expect(hosts().filter((host) => host === "tarpit.example")).toHaveLength(9);
  });

  it("does not wait for a hundred receivers that never answer, and keeps to a bound with more", async () => {
    const sender = new HeldSender();
    const store = await openStore();
    startScheduler(store, sender, { slowAfterMs: 20 });
    const ids = Array.from({ length: 1_100 }, (_, index) => `sub-${index}`);
    await store.propose(ids.slice(0, 100).map((id) => webhook(id)));
    await store.propose(ids.slice(0, 100).map((id) => create(`/${id}/a`, { bodies: ["1"] })));
    await vi.waitFor(() => expect(sender.sent).toHaveLength(100), PATIENT);
    await store.propose(ids.slice(100).map((id) => webhook(id)));
    await store.propose(ids.slice(100).map((id) => create(`/${id}/a`, { bodies: ["1"] })));
    await vi.waitFor(() => expect(sender.sent).toHaveLength(1_024), PATIENT);
    sender.sent[0]?.settle({ kind: "accepted" });
    await vi.waitFor(() => expect(sender.sent).toHaveLength(1_025), PATIENT);
    expect(sender.most).toBe(1_024);
  });

  it("takes an answer that never comes for a failure when the lease is over: the next attempt is put off", async () => {
    const sender = new HeldSender();
    const store = await openStore();
    startScheduler(store, sender);
    const config = { type: "webhook", pattern: "sub/*", leaseTtlMs: 1_000 } as const;
    await store.propose([subscribe({ time: Date.now(), config }), create("/sub/a", { bodies: ["1"] })]);
    await vi.waitFor(() => expect(sender.sent).toHaveLength(2), PATIENT);
    expect(store.reader.subscriptions.find("sub")).toMatchObject({ failures: 1, generation: 2 });
  });

  it("breaks off the delivery of a subscription that is deleted", async () => {
    const broken: AbortSignal[] = [];
    const sender: WebhookSender = {
      send: (_webhook, signal) =>
        new Promise((settle) => {
          broken.push(signal);
          signal.addEventListener("abort", () => settle({ kind: "failed", message: "broken off" }));
        }),
    };
    const store = await openStore();
    startScheduler(store, sender);
    await store.propose([webhook("sub"), create("/sub/a", { bodies: ["1"] })]);
    await vi.waitFor(() => expect(broken).toHaveLength(1), PATIENT);
    const { incarnation = 0 } = store.reader.subscriptions.find("sub") ?? {};
    await store.propose([{ kind: "unsubscribe", subscription: incarnation }]);
    await vi.waitFor(() => expect(broken[0]?.aborted).toBe(true), PATIENT);
  });

  it("leaves what is under way due when it is closed, twice too", async () => {
    const sender = new HeldSender();
    const store = await openStore();
    const scheduler = startScheduler(store, sender);
    await store.propose([webhook("sub"), create("/sub/a", { bodies: ["1"] })]);
    await vi.waitFor(() => expect(sender.sent).toHaveLength(1), PATIENT);
    await scheduler.close();
    await scheduler.close();
    expect(store.reader.subscriptions.find("sub")).toMatchObject({ failures: 0, state: "leased" });
    startScheduler(store, sender);
    await vi.waitFor(() => expect(sender.sent).toHaveLength(2), PATIENT);
  });
});

describe("the retries of a webhook (7.1)", () => {
  it.each([
    [0, [800, 1_600, 3_200, 6_400, 12_800, 25_600, 48_000, 48_000]],
    [0.5, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]],
    [1, [1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 72_000, 72_000]],
  ])("double from 1 s up to 60 s, a fifth more or less, %d", async (random, expected) => {
    const store = await openStore();
    const parts = partsOf(store);
    const now = parts.clock.now();
    vi.spyOn(parts.clock, "now").mockReturnValue(now);
    await store.propose([webhook("sub"), create("/sub/a", { bodies: ["1"] })]);
    await store.propose([{ kind: "wake", subscription: 1, generation: 0, time: now }]);
    const delays: number[] = [];
    const sender: WebhookSender = { send: async () => ({ kind: "failed", message: "no" }) };
    for (let attempt = 0; attempt < expected.length; attempt += 1) {
      await new Promise<void>((settled) => {
        const attempts = new WebhookAttempts({
          ...parts,
          sender,
          random: () => random,
          onSettled: () => settled(),
        });
        attempts.start([store.reader.subscriptions.find("sub")].flatMap((found) => found ?? []));
      });
      const found = store.reader.subscriptions.find("sub");
      expect(found?.failures).toBe(attempt + 1);
      delays.push((found?.nextAttemptAt ?? 0) - now);
    }
    expect(delays).toEqual(expected);
  });
});
