import { allow, defineChannel, reject } from "chanctl";

import { readSession } from "../session.ts";

export default defineChannel({
  transport: "ws",
  paramsSchema: {
    type: "object",
    properties: { room: { type: "string", minLength: 1, maxLength: 40 } },
    required: ["room"],
  },
  messages: {
    message: {
      type: "object",
      properties: { text: { type: "string", minLength: 1, maxLength: 2000 } },
      required: ["text"],
    },
  },
  auth: { cookieName: "session" },
  verify({ cookie }) {
    const name = readSession(cookie);
    return name === undefined ? reject("sign in first", { status: 401 }) : allow({ subject: name });
  },
});
