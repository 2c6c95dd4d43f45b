import { expect, it } from "vitest";
import { openMemoryStore } from "../support/memory-store.ts";

const COMMON = { kind: "create", closes: false, time: 1 } as const;

it("refuses a fork whose body was read as another type than the source has by now, and stores nothing", () => {
  const store = openMemoryStore();
  store.apply({ ...COMMON, path: "/source", mediaType: "application/json", bodies: ["1"] });
  const before = store.dump("streams", "messages");
  const fork = { ...COMMON, path: "/fork", fork: { source: "/source", subOffset: 0 }, bodies: ["not JSON"] };
  const [refused] = store.apply({ ...fork, bodyType: "text/plain" });
  expect(refused).toEqual({ kind: "refused", reason: "media-type", mediaType: "application/json" });
  expect(store.dump("streams", "messages")).toEqual(before);
  const [made, empty] = store.apply(
    { ...fork, bodies: ["2"], bodyType: "application/json" },
    { ...fork, path: "/empty", bodies: [], bodyType: "text/plain" },
  );
  expect([made, empty]).toMatchObject([{ kind: "created" }, { kind: "created" }]);
});
