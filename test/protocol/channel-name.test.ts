import { describe, expect, it } from "vitest";
import { channelNameProblem } from "#src/protocol/channel-name.ts";

describe("channelNameProblem", () => {
  it.each(["chat", "game/moves", "a-b_c", "0", "a/b/c", "messages-2", "x".repeat(200)])(
    "has none with %s",
    (name) => {
      expect(channelNameProblem(name)).toBeUndefined();
    },
  );

  it.each([
    "",
    "/chat",
    "chat/",
    "a//b",
    "Chat",
    "_chat",
    "-a",
    "ch at",
    "chat.ts",
    "..",
    "a/../b",
    "ü",
    "chat\n",
  ])("refuses %j", (name) => {
    expect(channelNameProblem(name)).toContain("must be lower-case letters");
  });

  it.each(["messages", "chat/messages", "authorize", "on-publish/x"])(
    "refuses the reserved segment in %s",
    (name) => {
      expect(channelNameProblem(name)).toContain("reserved segment");
    },
  );

  it("refuses what is longer than 200 characters", () => {
    expect(channelNameProblem("x".repeat(201))).toContain("longer than 200");
  });
});
