import { expect, it } from "vitest";
import { usingStateFile } from "#src/platform/state-file.ts";

const PATH = "/project/.chanctl/token";

it.each([
  ["EACCES", "chmod -R u+rwX /project/.chanctl "],
  ["EROFS", "mount the file system of /project/.chanctl writable"],
  ["ENOSPC", "make room on the disk of /project/.chanctl"],
  ["ENOTDIR", "move /project/.chanctl away"],
  ["EISDIR", `rm -r ${PATH} `],
])("a failure with %s is an error that names the path and says what to do", async (code, hint) => {
  const cause = Object.assign(new Error(`${code}: open`), { code });
  await expect(usingStateFile(PATH, () => Promise.reject(cause))).rejects.toMatchObject({
    code: "store_invalid",
    message: `${PATH} cannot be used: ${code}: open`,
    hint: expect.stringContaining(hint) as unknown,
    cause,
  });
});

it("what is no failure of the file system stays what it is", async () => {
  const bug = new TypeError("bug");
  await expect(usingStateFile(PATH, () => Promise.reject(bug))).rejects.toBe(bug);
});
