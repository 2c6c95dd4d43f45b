import { expect, it } from "vitest";

import { maskedCommand } from "#src/commands/server/masked-command.ts";

it.each([
  [["dev", "--port", "0"], "chanctl dev --port 0"],
  [["dev", "--", "next", "dev", "my app"], "chanctl dev -- next dev 'my app'"],
  [["dev", "--jwt-secret", "s3cret", "--open"], "chanctl dev --jwt-secret masked --open"],
  [["dev", "--streams-secret=s3 cret"], "chanctl dev --streams-secret=masked"],
  [["dev", "--", "node", "a.js", "--api-key", "-s3cret"], "chanctl dev -- node a.js --api-key masked"],
  [["dev", "--", "API_KEY=s3 cret", "node"], "chanctl dev -- API_KEY=masked node"],
  [
    ["dev", "--app", `TOKEN='s3 cret' PGPASSWORD=s3cret node a.js --auth-token s3cret -v`],
    "chanctl dev --app 'TOKEN=masked PGPASSWORD=masked node a.js --auth-token masked -v'",
  ],
  [
    ["dev", "--app=DB=postgres://ana:s3cret@db/shop node a.js"],
    "chanctl dev '--app=DB=postgres://masked@db/shop node a.js'",
  ],
  [["dev", "--", "x", "http://a/?token=s3cret&b=1"], "chanctl dev -- x 'http://a/?token=masked&b=1'"],
])("shows %j as it was typed, without what is secret", (args, shown) => {
  expect(maskedCommand(args, "linux")).toBe(shown);
});
