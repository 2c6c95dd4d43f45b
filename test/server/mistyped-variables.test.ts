import { expect, it } from "vitest";

import { mistypedVariables } from "#src/server/mistyped-variables.ts";

it.each([
  ["CHANCTL_PROT", "did you mean CHANCTL_PORT?"],
  ["CHANCTL_APP_COMAND", "did you mean CHANCTL_APP_COMMAND?"],
  ["CHANCTL_TOKN", "did you mean CHANCTL_TOKEN?"],
])("tells what %s was meant to be", (name, expected) => {
  expect(mistypedVariables({ [name]: "1" })).toEqual([expect.stringContaining(expected)]);
});

it("says nothing of what is known, of what is the app's own, and of other names", () => {
  const env = {
    CHANCTL_PORT: "1",
    CHANCTL_HOME: "/",
    CHANCTL_TOKEN: "t",
    CHANCTL_DASHBOARD_COLOR: "1",
    PROT: "1",
  };
  expect(mistypedVariables(env)).toEqual([]);
});
