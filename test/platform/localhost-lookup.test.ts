import { expect, test } from "vitest";
import { localhostLookup } from "#src/platform/localhost-lookup.ts";

function resolve(hostname: string, all: boolean): Promise<unknown[]> {
  return new Promise((done) => {
    localhostLookup(hostname, { all }, (...result) => done(result));
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
