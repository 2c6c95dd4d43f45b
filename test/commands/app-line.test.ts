import { expect, it } from "vitest";

import { appLine, plainAppLine } from "#src/commands/server/app-line.ts";

it.each([
  ["a plain line stays as it is", "GET / 200\tin 5 ms", "GET / 200\tin 5 ms"],
  [
    "colours stay, and end with the line",
    "\u001B[1;32mok\u001B[0m \u001B[31mred",
    "\u001B[1;32mok\u001B[0m \u001B[31mred\u001B[0m",
  ],
  ["what moves the cursor goes", "\u001B[2J\u001B[3;1Hhello\u001B[K", "hello"],
  ["what retitles the window goes", "\u001B]0;title\u0007hello", "hello"],
  [
    "a link stays",
    "\u001B]8;;http://a\u0007here\u001B]8;;\u0007",
    "\u001B]8;;http://a\u001B\\here\u001B]8;;\u001B\\\u001B[0m",
  ],
  ["a sequence that is cut off goes", "hello\u001B[12", "hello"],
  ["of a progress bar the last state stays", "10%\r50%\r90%", "90%"],
  ["a return at the end means nothing", "done\r", "done"],
  ["other controls go", "a\u0000b\u009Bc\u0008d", "abcd"],
])("%s", (_, text, expected) => {
  expect(appLine(text)).toBe(expected);
});

it.each([
  ["\u001B[1;32mok\u001B[0m \u001B[31mred", "ok red"],
  ["\u001B]8;;http://a\u0007here\u001B]8;;\u0007\ttab", "here\ttab"],
  ["\u001B[2K\u001B[1G10%\r90%\u001B[0m", "90%"],
])("without colours nothing of %j stays but its text", (text, expected) => {
  expect(plainAppLine(text)).toBe(expected);
});
