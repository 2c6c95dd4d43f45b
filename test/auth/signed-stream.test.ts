import { describe, expect, it } from "vitest";
import { signStream, verifySignedStream } from "#src/auth/signed-stream.ts";

const CHAT = "ImNoYXQvMSI=--7e59ca06d6e53f272b50bc22ab3f3f4dbe2202f59c26ba92a1c6921ccf3ba591";
const CYRILLIC = "ItGH0LDRgi/DvCI=--83e339af76927b6c31694e7d83335ea35e753b1baa23aec00bad278839d6b41c";
const ARRAY =
  "WyJjaGF0LzIwMjMiLDE2ODUwMjQwMTdd--5b6661024d4c463c4936cd1542bc9a7672dd8039ac407d0b6c901697190e8aeb";

describe("a signed stream", () => {
  it.each([
    ["chat/1", CHAT],
    ["чат/ü", CYRILLIC],
  ])("of %s is bit for bit what AnyCable makes", (name, token) => {
    expect(signStream(name, "s3cret")).toBe(token);
    expect(verifySignedStream(token, "s3cret")).toBe(name);
  });

  it("survives a query that made spaces of its pluses", () => {
    const name = "a".repeat(3) + "\u00be\u00ff>>>???";
    const token = signStream(name, "s3cret");
    expect(token).toContain("+");
    expect(verifySignedStream(token.replaceAll("+", " "), "s3cret")).toBe(name);
  });

  it("that names several streams is refused, though its MAC is right", () => {
    expect(verifySignedStream(ARRAY, "s3Krit")).toBeUndefined();
  });

  it.each([
    ["another secret", CHAT, "other"],
    ["an empty secret", signStream("chat/1", ""), ""],
    ["no secret", CHAT, undefined],
    ["a changed name", CHAT.replace("ImNo", "ImNp"), "s3cret"],
    ["a changed MAC", `${CHAT.slice(0, -1)}0`, "s3cret"],
    ["a MAC in capitals", CHAT.toUpperCase(), "s3cret"],
    ["no MAC", "ImNoYXQvMSI=", "s3cret"],
    ["nothing", "", "s3cret"],
    ["a character of two bytes in the MAC", `${CHAT.slice(0, -1)}é`, "s3cret"],
    ["more than any name needs", `${"A".repeat(10_000)}--${"0".repeat(64)}`, "s3cret"],
  ])("with %s is refused", (_, token, secret) => {
    expect(verifySignedStream(token, secret)).toBeUndefined();
  });
});
