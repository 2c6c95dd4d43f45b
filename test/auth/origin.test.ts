import { describe, expect, it } from "vitest";
import { isOriginAllowed } from "#src/auth/origin.ts";

describe("the origin rule", () => {
  it.each([
    ["https://app.example", "app.example", true],
    ["https://app.example", "app.example:443", true],
    ["http://app.example", "app.example:80", true],
    ["https://app.example:8443", "app.example:8443", true],
    ["https://app.example:8443", "app.example", false],
    ["https://app.example", "app.example:8443", false],
    ["https://APP.example", "app.EXAMPLE", true],
    ["https://sub.app.example", "app.example", false],
    ["null", "app.example", false],
    ["", "app.example", false],
    ["https://app.example", undefined, false],
    [undefined, "app.example", true],
  ])("for the origin %s at the host %s says %s", (origin, host, isAllowed) => {
    expect(isOriginAllowed({ origin, host }, [])).toBe(isAllowed);
  });
});
