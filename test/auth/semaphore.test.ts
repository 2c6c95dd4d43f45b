import { describe, expect, it } from "vitest";
import { Semaphore } from "#src/auth/semaphore.ts";
import { shutGate } from "../support/gate.ts";

const PATIENCE = { size: 1, maxWaiting: 10, maxWaitMs: 60_000, onWait: () => {} };

describe("a semaphore", () => {
  it("refuses who finds the line full", async () => {
    const semaphore = new Semaphore({ ...PATIENCE, maxWaiting: 1 });
    const gate = shutGate();
    const [first, second] = [semaphore.run(() => gate.opened), semaphore.run(async () => "second")];
    await expect(semaphore.run(async () => "third")).rejects.toMatchObject({
      code: "app_unavailable",
      limit: "maxAuthorizeCalls",
      retryAfterSecs: 5,
    });
    gate.open();
    await first;
    expect(await second).toBe("second");
    expect(await semaphore.run(async () => "later")).toBe("later");
  });

  it("refuses who has waited too long, and runs the others", async () => {
    const semaphore = new Semaphore({ ...PATIENCE, maxWaitMs: 20 });
    const gate = shutGate();
    const first = semaphore.run(() => gate.opened);
    await expect(semaphore.run(async () => "late")).rejects.toMatchObject({ code: "app_unavailable" });
    gate.open();
    await first;
    expect(await semaphore.run(async () => "next")).toBe("next");
  });

  it("lets who gives up leave the line, and keeps the order of the others", async () => {
    const semaphore = new Semaphore(PATIENCE);
    const gate = shutGate();
    const ran: string[] = [];
    const enter = (name: string, signal?: AbortSignal): Promise<unknown> =>
      semaphore.run(async () => ran.push(name), signal);
    const leaves = new AbortController();
    const first = semaphore.run(() => gate.opened);
    const left = enter("left", leaves.signal);
    const others = [enter("second"), enter("third")];
    leaves.abort();
    await expect(left).rejects.toBe(leaves.signal.reason);
    gate.open();
    await Promise.all([first, ...others]);
    expect(ran).toEqual(["second", "third"]);
  });
});
