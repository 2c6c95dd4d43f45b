import { once } from "node:events";
import type { LookupAddress } from "node:dns";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { isLoopbackAddress, isPublicAddress } from "#src/transports/durable-streams/webhook-address.ts";
import { createVettedLookup } from "#src/transports/durable-streams/vetted-lookup.ts";
import { HttpWebhookSender } from "#src/transports/durable-streams/webhook-sender.ts";
import { assertWebhookUrl, parseWebhookUrl } from "#src/transports/durable-streams/webhook-url.ts";
import { codeOf } from "../support/store.ts";
import { startWebhookReceiver } from "../support/webhook-receiver.ts";

const OPEN = { allowsLoopback: true };
const CLOSED = { allowsLoopback: false };

function openSender(policy = OPEN): HttpWebhookSender {
  const sender = new HttpWebhookSender(policy);
  onTestFinished(() => sender.close());
  return sender;
}

const NEVER = new AbortController().signal;

describe("the URL of a webhook (6.2, 12.8)", () => {
  it.each([
    "http://worker.example/hook",
    "http://10.0.0.1/hook",
    "ftp://worker.example/hook",
    "no url",
    "https://user:secret@worker.example/hook",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://0.0.0.0/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::]/",
    "https://[2001::1]/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://[ff02::1]/",
    `https://worker.example/${"x".repeat(2_048)}`,
  ])("must not be %s, even where localhost may be", (url) => {
    expect(() => parseWebhookUrl(url, OPEN)).toThrow(/webhook\.url/);
  });

  it.each([
    "https://worker.example/hook?a=1",
    "https://93.184.216.34/",
    "https://[2606:2800:220:1::1]:8443/",
  ])("may be %s", (url) => {
    expect(parseWebhookUrl(url, CLOSED).url.href).toBe(url);
  });

  it.each(["http://localhost:3000/", "http://127.0.0.1/", "http://127.0.0.77:1/", "http://127.1/"])(
    "may be %s for development only",
    (url) => {
      expect(parseWebhookUrl(url, OPEN).isAllowed("127.0.0.1")).toBe(true);
      expect(() => parseWebhookUrl(url, CLOSED)).toThrow(/must be https/);
    },
  );

  it("must not be a name of this machine", async () => {
    expect(await codeOf(assertWebhookUrl("https://localhost/", OPEN))).toBe("webhook_url_rejected");
    await assertWebhookUrl("http://localhost/", OPEN);
  });
});

describe("the address that a webhook goes to (12.8)", () => {
  it("is a public one, or this machine's in development", () => {
    expect(["1.1.1.1", "2606:4700::1111"].every(isPublicAddress)).toBe(true);
    expect(["10.1.1.1", "::1", "::ffff:1.1.1.1", "fe80::1", "name", ""].some(isPublicAddress)).toBe(false);
    expect(["127.0.0.1", "127.0.0.9", "::1"].every(isLoopbackAddress)).toBe(true);
    expect(["127.1.0.1", "10.0.0.1", "1.1.1.1", "::ffff:7f00:1"].some(isLoopbackAddress)).toBe(false);
  });

  /** A resolver that gives these addresses, as a name does that was made to (DNS rebinding). */
  function lookupOf(...addresses: readonly string[]) {
    const found = addresses.map((address): LookupAddress => ({
      address,
      family: address.includes(":") ? 6 : 4,
    }));
    const resolve = (_name: string, _options: unknown, callback: (...result: unknown[]) => void): void =>
      callback(null, found);
    return new Promise<unknown>((settle) => {
      const lookup = createVettedLookup(isPublicAddress, resolve as never);
      lookup("rebound.example", { all: true }, (error, given) => settle(error ?? given));
    });
  }

  it("is looked at when it is connected to: a name that has come to mean another place is not followed", async () => {
    expect(await lookupOf("93.184.216.34")).toEqual([{ address: "93.184.216.34", family: 4 }]);
    for (const address of ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"]) {
      expect(await lookupOf(address), address).toMatchObject({ message: `no webhook may go to ${address}` });
      expect(await lookupOf("93.184.216.34", address), "among others").toBeInstanceOf(Error);
    }
  });

  it("is asked for again at each delivery, when the rules may have become stricter", async () => {
    await using receiver = await startWebhookReceiver();
    const webhook = { url: receiver.url, body: "{}", signature: "t=0" };
    expect(await openSender(OPEN).send(webhook, NEVER)).toEqual({ kind: "accepted" });
    expect(await openSender(CLOSED).send(webhook, NEVER)).toMatchObject({ kind: "failed" });
    expect(receiver.received).toHaveLength(1);
  });

  it("is never the one of a name that means this machine", async () => {
    await using receiver = await startWebhookReceiver();
    const { port } = new URL(receiver.url);
    const webhook = { url: `https://localhost:${port}/`, body: "{}", signature: "t=0" };
    expect(await openSender().send(webhook, NEVER)).toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/^no webhook may go to (127\.0\.0\.1|::1)$/),
    });
  });
});

describe("what a receiver answers (7.1)", () => {
  async function outcomeOf(status: number, body: string) {
    await using receiver = await startWebhookReceiver({
      answer: (response) => response.writeHead(status, { location: "/other" }).end(body),
    });
    const outcome = await openSender().send({ url: receiver.url, body: "{}", signature: "t=0" }, NEVER);
    expect(receiver.received).toHaveLength(1);
    return outcome;
  }

  it.each([
    [200, '{"done":true}', "done"],
    [202, ' {"done" : true, "more": 1} ', "done"],
    [200, "", "accepted"],
    [204, "", "accepted"],
    [200, "thanks", "accepted"],
    [200, "true", "accepted"],
    [200, '{"done":"true"}', "accepted"],
    [200, '[{"done":true}]', "accepted"],
    [301, '{"done":true}', "failed"],
    [307, '{"done":true}', "failed"],
    [404, '{"done":true}', "failed"],
    [500, "", "failed"],
  ])("with %d and `%s` makes it %s", async (status, body, kind) => {
    expect((await outcomeOf(status, body)).kind).toBe(kind);
  });

  it("is read up to 64 KiB: a longer one says nothing about being done", async () => {
    const done = '{"done":true}';
    expect((await outcomeOf(200, done.padEnd(64 * 1_024))).kind).toBe("done");
    expect((await outcomeOf(200, done.padEnd(64 * 1_024 + 1))).kind).toBe("accepted");
  });

  it("may break off after its status has said that it was taken", async () => {
    await using receiver = await startWebhookReceiver({
      answer: (response) => {
        response
          .writeHead(200, { "content-length": "1000" })
          .write('{"done":true}', () => response.destroy());
      },
    });
    const webhook = { url: receiver.url, body: "{}", signature: "t=0" };
    expect(await openSender().send(webhook, NEVER)).toEqual({ kind: "accepted" });
  });

  it("is not waited for any longer when the attempt is broken off", async () => {
    await using receiver = await startWebhookReceiver({ answer: () => {} });
    const over = new AbortController();
    const sent = openSender().send({ url: receiver.url, body: "{}", signature: "t=0" }, over.signal);
    await receiver.request(0);
    over.abort();
    expect(await sent).toMatchObject({ kind: "failed" });
  });

  it("is nothing where nobody listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const webhook = { url: `http://127.0.0.1:${port}/`, body: "{}", signature: "t=0" };
    expect(await openSender().send(webhook, NEVER)).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });
});
