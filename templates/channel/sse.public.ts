import { defineChannel } from "chanctl";

export default defineChannel({
  transport: "sse", // clients read, your app publishes
  // {params}
  public: true, // anyone may read
});
