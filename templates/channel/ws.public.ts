import { defineChannel } from "chanctl";

export default defineChannel({
  transport: "ws", // clients read and publish
  // {params}
  messages: {
    message: {
      type: "object",
      properties: { text: { type: "string", maxLength: 2000 } },
      required: ["text"],
      additionalProperties: false,
    },
  },
  public: true, // anyone may read and publish
});
