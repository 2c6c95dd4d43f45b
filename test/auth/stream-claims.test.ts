import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isClaimed, isSubscribable, parseStreamClaims } from "#src/auth/stream-claims.ts";
import { matchesGlob } from "#src/protocol/durable-streams/glob.ts";

describe("a pattern (PROTOCOL.md, section 6.2)", () => {
  it.each([
    ["jobs/42", "jobs/42", true],
    ["jobs/42", "jobs/43", false],
    ["jobs/*", "jobs/42", true],
    ["jobs/*", "jobs", false],
    ["jobs/*", "jobs/42/log", false],
    ["jobs/**", "jobs/42/log", true],
    ["jobs/**", "jobs", true],
    ["jobs/**", "jobsters", false],
    ["**/log", "a/b/log", true],
    ["**/log", "log", true],
    ["a/**/z", "a/z", true],
    ["a/**/z", "a/b/c/z/y", false],
    ["*", "a/b", false],
    ["**", "a/b", true],
    ["jobs/4*", "jobs/42", false],
  ])("%s over %s: %s", (pattern, path, expected) => {
    expect(matchesGlob(pattern, path)).toBe(expected);
  });

  it("matches what the same pattern as a regular expression does", () => {
    const segment = fc.constantFrom("a", "b", "*", "**");
    const path = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), path, (pattern, segments) => {
        const regex = pattern.map((part) =>
          part === "**" ? "(?:/[^/]+)*" : part === "*" ? "/[^/]+" : `/${part}`,
        );
        const expected = new RegExp(`^${regex.join("")}$`).test(`/${segments.join("/")}`);
        expect(matchesGlob(pattern.join("/"), segments.join("/"))).toBe(expected);
      }),
    );
  });

  it("takes no time that grows with the power of its stars", () => {
    const pattern = Array.from({ length: 40 }, () => "**/a").join("/");
    expect(matchesGlob(pattern, Array.from({ length: 400 }, () => "b").join("/"))).toBe(false);
  });
});

describe("claims", () => {
  const claims = parseStreamClaims([
    { path: "jobs/*", operations: ["read", "append", "fly"] },
    { path: "чат/*", operations: ["read"] },
  ]);

  it.each([
    ["jobs/42", "read", true],
    ["jobs/42", "append", true],
    ["jobs/42", "delete", false],
    ["other", "read", false],
    [`${encodeURIComponent("чат")}/1`, "read", true],
  ] as const)("on %s allow to %s: %s", (path, operation, expected) => {
    expect(isClaimed(claims, { path, operation })).toBe(expected);
  });

  it.each([
    [undefined],
    ["jobs/*"],
    [{ path: "jobs/*", operations: ["read"] }],
    [[null, 7, "jobs/*", { path: "jobs/*" }, { operations: ["read"] }]],
    [[{ path: ["jobs/*"], operations: ["read"] }]],
    [[{ path: "jobs/*", operations: "read" }]],
    [[{ path: "/jobs/*", operations: ["read"] }]],
    [[{ path: "jobs/../*", operations: ["read"] }]],
    [[{ path: "", operations: ["read"] }]],
  ])("that are not understood allow nothing: %j", (claim) => {
    expect(isClaimed(parseStreamClaims(claim), { path: "jobs/42", operation: "read" })).toBe(false);
  });
});

describe("a subscription's pattern", () => {
  it.each([
    ["jobs/**", "jobs/*", true],
    ["jobs/**", "jobs/**", true],
    ["jobs/*", "jobs/*", true],
    ["jobs/*", "jobs/**", false],
    ["*/*", "**", false],
    ["**", "a/**/b", true],
    ["jobs/*", "jobs/42", true],
    ["jobs/42", "jobs/*", false],
  ])("that %s allows covers %s: %s", (claimed, pattern, expected) => {
    const claims = parseStreamClaims([{ path: claimed, operations: ["subscribe"] }]);
    expect(isSubscribable(claims, pattern)).toBe(expected);
  });

  it("needs the operation `subscribe`", () => {
    const claims = parseStreamClaims([{ path: "**", operations: ["read"] }]);
    expect(isSubscribable(claims, "jobs/42")).toBe(false);
  });
});
