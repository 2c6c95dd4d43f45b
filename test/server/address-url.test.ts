import { expect, it } from "vitest";
import { toUrlAddress } from "#src/server/address-url.ts";
import { startTestServer } from "../support/server.ts";

it.each([
  ["127.0.0.1", "127.0.0.1"],
  ["0.0.0.0", "127.0.0.1"],
  ["::", "[::1]"],
  ["::1", "[::1]"],
  ["192.0.2.7", "192.0.2.7"],
])("reaches what is bound to %s at %s", (address, host) => {
  expect(toUrlAddress(address)).toBe(host);
});

it.each(["127.0.0.1", "0.0.0.0", "localhost"])(
  "the token is never sent to a name: with `internalHost` %s the internal URL has the bound address",
  async (internalHost) => {
    await using server = await startTestServer({ internalHost });
    expect(server.internalUrl).toMatch(/^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/);
    expect((await server.internal("/_chanctl/channels")).status).toBe(200);
    expect(server.url).toMatch(/^http:\/\/localhost:\d+$/);
  },
);
