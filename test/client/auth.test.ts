import { describe, expect, it, onTestFinished, vi } from "vitest";
import { listen, WAYS } from "../support/client.ts";
import { startGuardedServer } from "../support/guarded-server.ts";
import type { GuardedServer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { jsonBody } from "../support/server.ts";

async function startGuarded(): Promise<GuardedServer> {
  const guarded = await startGuardedServer();
  onTestFinished(() => guarded[Symbol.asyncDispose]());
  return guarded;
}

describe.each(WAYS)("over $name", ({ options }) => {
  it("shows its token, and publishes as its subject", async () => {
    const guarded = await startGuarded();
    const { server } = guarded;
    const token = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    const { connection } = listen("guarded", { url: server.url, ...options, token });
    const senders: unknown[] = [];
    connection.on("message", ({ from }) => void senders.push(from));
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    await connection.publish({ type: "message", data: 1 });
    await vi.waitFor(() => expect(senders).toEqual(["u1"]), PATIENT);
  });

  it("asks once for another token when one is refused, naming it", async () => {
    const guarded = await startGuarded();
    const { server } = guarded;
    const good = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    const asked: unknown[] = [];
    const token = (refused?: string): string => {
      asked.push(refused);
      return refused === undefined ? "old" : good;
    };
    const { connection } = listen("guarded", { url: server.url, ...options, token });
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    expect(asked).toEqual([undefined, "old"]);
  });

  it("stops for good with 401 when the second token is refused too", async () => {
    const { server } = await startGuarded();
    const token = vi.fn(() => "bad");
    const { errors, connection } = listen("guarded", { url: server.url, ...options, token });
    await vi.waitFor(() => expect(errors).toEqual([{ code: "unauthenticated", status: 401 }]), PATIENT);
    expect(connection.status).toBe("closed");
    expect(token).toHaveBeenCalledTimes(2);
  });

  it.each([undefined, null, ""])("stops for good with 401 when there is no token but %j", async (none) => {
    const guarded = await startGuardedServer({ limits: { authFrameWaitMs: 100 } });
    onTestFinished(() => guarded[Symbol.asyncDispose]());
    const token = vi.fn(() => none);
    const { errors } = listen("guarded", { url: guarded.server.url, ...options, token });
    await vi.waitFor(() => expect(errors).toEqual([{ code: "unauthenticated", status: 401 }]), PATIENT);
    expect(token).toHaveBeenCalledTimes(2);
    expect(guarded.app.calls).toEqual([]);
  });

  it.each([
    [403, "forbidden"],
    [404, "channel_unknown"],
  ])("stops for good at the app's %d", async (status, code) => {
    const guarded = await startGuarded();
    const { server } = guarded;
    const token = guarded.tokenFor(() => ({ ok: false, status }));
    const { errors } = listen("guarded", { url: server.url, ...options, token: () => token });
    await vi.waitFor(() => expect(errors).toEqual([{ code, status }]), PATIENT);
    expect(guarded.callsAbout(token)).toHaveLength(1);
  });

  it("comes back with its id after it was disconnected", async () => {
    const guarded = await startGuarded();
    const { server } = guarded;
    const token = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    const { connection, data, statuses } = listen("guarded", { url: server.url, ...options, token });
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    await server.internal("/_chanctl/disconnect", jsonBody({ subject: "u1" }));
    await server.publish("guarded", { type: "message", data: "while it was away" });
    await vi.waitFor(() => expect(data).toEqual(["while it was away"]), PATIENT);
    expect(statuses).toEqual(["live", "connecting", "live"]);
  });

  it("tries on while the app cannot be asked", async () => {
    const guarded = await startGuarded();
    const { server } = guarded;
    let isUp = false;
    const token = guarded.tokenFor((_, response) => {
      if (isUp) return { ok: true };
      response.writeHead(500).end();
      return undefined;
    });
    const { connection, errors, statuses } = listen("guarded", { url: server.url, ...options, token });
    await vi.waitFor(() => expect(statuses).toEqual([]), PATIENT);
    isUp = true;
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    expect(errors).toEqual([]);
  });

  it("takes another token when it is told to, without a gap", async () => {
    const guarded = await startGuarded();
    const { server } = guarded;
    const first = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    const second = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    let token = first;
    const { connection, data } = listen("guarded", { url: server.url, ...options, token: () => token });
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    token = second;
    await connection.refresh();
    await server.publish("guarded", { type: "message", data: 1 });
    await vi.waitFor(() => expect(guarded.callsAbout(second)).toHaveLength(1), PATIENT);
    await vi.waitFor(() => expect(data).toEqual([1]), PATIENT);
  });
});

describe("over WebSocket", () => {
  const { options } = WAYS[0];

  it("shows another token before what the app granted ends, on the same connection", async () => {
    const guarded = await startGuarded();
    const { server } = guarded;
    const first = guarded.tokenFor(() => ({ ok: true, subject: "u1", expiresAt: Date.now() + 5_000 }));
    const second = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    let token = first;
    const { connection, statuses } = listen("guarded", { url: server.url, ...options, token: () => token });
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    token = second;
    await vi.waitFor(() => expect(guarded.callsAbout(second)).toHaveLength(1), PATIENT);
    expect(statuses).toEqual(["live"]);
  });

  it("shows a token that no sub-protocol may hold in its first frame", async () => {
    const { server, app } = await startGuarded();
    const { errors } = listen("guarded", { url: server.url, ...options, token: "a/b=" });
    await vi.waitFor(() => expect(errors).toHaveLength(1), PATIENT);
    expect(app.calls.map(({ body }) => body["header"])).toEqual([{ scheme: "Bearer", value: "a/b=" }]);
  });

  it("reads a channel that is served as events only by events", async () => {
    const guarded = await startGuarded();
    const { server } = guarded;
    const token = guarded.tokenFor(() => ({ ok: true }));
    const { webSocket } = options;
    const { connection, data } = listen("guarded-read", { url: server.url, webSocket, token });
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    await server.publish("guarded-read", { type: "message", data: 1 });
    await vi.waitFor(() => expect(data).toEqual([1]), PATIENT);
    await expect(connection.publish({ type: "message", data: 2 })).rejects.toMatchObject({
      code: "transport_forbidden",
      status: 403,
    });
  });
});
