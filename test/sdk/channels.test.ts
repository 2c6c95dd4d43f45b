import { expect, test } from "vitest";

import { createChannels } from "#src/sdk/channels.ts";
import { defineChannel } from "#src/sdk/define-channel.ts";

const open = defineChannel({ public: true });

test.each([
  ["Game Moves", "game-moves"],
  ["gameMoves", "game-moves"],
  ["game/messages", "game/my-messages"],
  ["game//moves", "chat"],
])("refuses the name %j, and says which is a channel's", (name, usable) => {
  const thrown = thrownBy(() => createChannels({ [name]: defineChannel({ public: true }) }));
  expect(thrown).toMatchObject({
    code: "definition_invalid",
    message: expect.stringContaining(`the channel name \`${name}\` `),
    hint: `createChannels({ "${usable}": … })     the name of its file: channels/${usable}.ts`,
  });
});

test("refuses a second name for one definition", () => {
  const twice = defineChannel({ public: true });
  expect(() => createChannels({ first: twice, second: twice })).toThrow(/one name/);
});

test.each([
  ["a plain object", { public: true }, "an object with `public`"],
  ["what is not there yet", undefined, "nothing"],
  ["a whole module", { default: open }, "an object with `default`"],
])("refuses what is no channel, and says what to write: %s", (_, chat, came) => {
  expect(thrownBy(() => createChannels({ chat } as never))).toMatchObject({
    code: "definition_invalid",
    message: `the channel \`chat\` of \`createChannels\` must be what \`defineChannel\` has made, got ${came}`,
    hint: expect.stringMatching(/^import channel from "\.\/channels\/chat\.js" /),
  });
});

test.each([
  [undefined, "nothing"],
  [[open], "an array"],
  [open, "a channel"],
])("refuses what names no channels, and says what to write: %o", (channels, came) => {
  expect(thrownBy(() => createChannels(channels as never))).toMatchObject({
    code: "definition_invalid",
    message: `\`createChannels\` must be given an object of channels by their names, got ${came}`,
    hint: 'createChannels({ chat, "game/moves": moves })',
  });
});

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}
