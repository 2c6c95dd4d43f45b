import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arrayElements, isArrayText, isObjectText, objectMembers } from "#src/protocol/json-text.ts";

const whitespace = fc.stringMatching(/^[ \t\r\n]{0,3}$/);

/** JSON text with whitespace wherever the grammar allows it. */
const spaced = fc
  .tuple(fc.jsonValue({ noUnicodeString: false }), fc.array(whitespace, { minLength: 1 }))
  .map(([value, gaps]) => {
    let next = 0;
    const gap = (): string => gaps[next++ % gaps.length] ?? "";
    const write = (part: unknown): string => {
      if (Array.isArray(part)) return `${gap()}[${gap()}${part.map(write).join(",")}]${gap()}`;
      if (typeof part !== "object" || part === null) return `${gap()}${JSON.stringify(part)}${gap()}`;
      const members = Object.entries(part).map(
        ([name, member]) => `${gap()}${JSON.stringify(name)}${gap()}:${write(member)}`,
      );
      return `${gap()}{${members.length === 0 ? gap() : members.join(",")}}${gap()}`;
    };
    return write(value);
  });

describe("JSON text that is looked into", () => {
  it("has the elements that `JSON.parse` finds, as they were written", () => {
    fc.assert(
      fc.property(fc.array(spaced), whitespace, (parts, gap) => {
        const text = `${gap}[${parts.join(",")}]${gap}`;
        const elements = arrayElements(text);
        expect(elements.map((element): unknown => JSON.parse(element))).toEqual(JSON.parse(text));
        expect(elements).toEqual(parts.map((part) => part.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "")));
      }),
      { numRuns: 500 },
    );
  });

  it("has the members that `JSON.parse` finds, the last of a repeated name", () => {
    const member = fc.tuple(
      fc.oneof(fc.string(), fc.constantFrom("type", "data", '"', "\\", "__proto__")),
      spaced,
    );
    fc.assert(
      fc.property(fc.array(member), whitespace, (members, gap) => {
        const text = `${gap}{${members.map(([name, value]) => `${gap}${JSON.stringify(name)}${gap}:${value}`).join(",")}}`;
        const found = [...objectMembers(text)].map(([name, value]): [string, unknown] => [
          name,
          JSON.parse(value),
        ]);
        const parsed: object = JSON.parse(text);
        expect(Object.fromEntries(found)).toEqual(Object.fromEntries(Object.entries(parsed)));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps numbers, escapes and inner whitespace as the writer wrote them", () => {
    expect(
      objectMembers(
        '{"data":  {"n": 1.0, "big": 12345678901234567890, "e":1E+2,"s":"\\u0041\\/"} ,"x":1}',
      ).get("data"),
    ).toBe('{"n": 1.0, "big": 12345678901234567890, "e":1E+2,"s":"\\u0041\\/"}');
  });

  it("is not led astray by braces, commas and quotes inside texts", () => {
    expect(arrayElements('["]","\\"","\\\\",{"}":"{,["},[",",[]]]')).toEqual([
      '"]"',
      '"\\""',
      '"\\\\"',
      '{"}":"{,["}',
      '[",",[]]',
    ]);
  });

  it("knows an array and an object by their first character", () => {
    expect(["[1]", " \n[", "{", " {}", "1", '"["'].map(isArrayText)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(["[1]", " \n[", "{", " {}", "1", '"{"'].map(isObjectText)).toEqual([
      false,
      false,
      true,
      true,
      false,
      false,
    ]);
  });
});
