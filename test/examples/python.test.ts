import { describeExample } from "./describe-example.ts";

describeExample({
  name: "python",
  programs: ["python3"],
  prepare: async () => ({ app: ["python3", "-u", "app.py"], client: ["python3", "-u", "client.py"] }),
});
