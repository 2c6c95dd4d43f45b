import { allow, reject } from "#src/sdk/answers.ts";
import { defineChannel } from "#src/sdk/define-channel.ts";

/** A channel with a param and a message of each kind, as its author writes it: without `as const`. */
export const board = defineChannel({
  transport: "ws",
  paramsSchema: {
    type: "object",
    properties: {
      room: { type: "string" },
      limit: { type: "integer", default: 10 },
      scale: { type: "number" },
      isDraft: { type: "boolean", default: false },
      side: { enum: ["left", "right"] },
      version: { const: 2 },
    },
    required: ["room", "isDraft"],
  },
  messages: {
    say: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
    move: {
      type: "object",
      properties: { path: { type: "array", items: { type: "number" } }, by: { type: ["string", "null"] } },
    },
    clear: { type: "null" },
  },
  auth: { cookieName: "session" },
  verify: ({ cookie }) => (cookie === undefined ? reject("sign in first") : allow({ subject: cookie })),
});

/** A channel that says nothing of params and messages. */
export const news = defineChannel({ public: true });
