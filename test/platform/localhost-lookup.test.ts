import { expect, test } from "vitest";
import { localhostLookup, lookupAt } from "#src/platform/localhost-lookup.ts";

function resolve(hostname: string, all: boolean, lookup = localhostLookup): Promise<unknown[]> {
  return new Promise((done) => {
    lookup(hostname, { all }, (...result) => done(result));
  });
}

test.each(["localhost", "shop.localhost"])("%s is this machine, over IPv4 and IPv6", async (name) => {
  expect(await resolve(name, true)).toEqual([
    null,
    [
      { address: "127.0.0.1", family: 4 },
      { address: "::1", family: 6 },
    ],
  ]);
  expect(await resolve(name, false)).toEqual([null, "127.0.0.1", 4]);
});

test("asks the system about every other name", async () => {
  expect(await resolve("127.0.0.2", false)).toEqual([null, "127.0.0.2", 4]);
  const [error] = await resolve("notlocalhost.invalid", false);
  expect(error).toMatchObject({ syscall: "getaddrinfo" });
});

test("a program that listens at one address is looked for there alone, once that is known", async () => {
  let address: string | undefined;
  const lookup = lookupAt(() => address);
  expect(await resolve("localhost", true, lookup)).toEqual(await resolve("localhost", true));
  address = "::1";
  expect(await resolve("localhost", true, lookup)).toEqual([null, [{ address: "::1", family: 6 }]]);
  expect(await resolve("localhost", false, lookup)).toEqual([null, "::1", 6]);
});

test.each([
  ["this machine", localhostLookup],
  ["one address of it", lookupAt(() => "127.0.0.1")],
])("%s is never answered before whoever asks can listen", async (_name, lookup) => {
  let isListening = false;
  const wasListening = new Promise((done) => {
    lookup("localhost", { all: true }, () => done(isListening));
  });
  isListening = true;
  expect(await wasListening).toBe(true);
});
