import { allow, defineChannel, reject } from "chanctl";

export default defineChannel({
  transport: "sse", // clients read, your app publishes
  // {params}
  auth: { headerName: "authorization", cookieName: "session" }, // what of a request verify sees
  async verify({ header, cookie }) {
    const user = await findUser(header?.value ?? cookie);
    if (user === undefined) return reject("sign in first");
    return allow({ subject: user.id });
  },
});

// Runs in your app: look the session up where the app keeps it. As it stands, nobody is let in.
async function findUser(_session: string | undefined): Promise<{ id: string } | undefined> {
  return undefined;
}
