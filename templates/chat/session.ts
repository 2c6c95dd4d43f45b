import { createHmac, timingSafeEqual } from "node:crypto";

/** The value of the session cookie: a name, signed so that nobody can make up another's. */
export function writeSession(name: string): string {
  const payload = Buffer.from(name).toString("base64url");
  return `${payload}.${sign(payload).toString("base64url")}`;
}

/** The name in a session cookie; `undefined` if there is none or we did not sign it. */
export function readSession(cookie: string | undefined): string | undefined {
  const [payload = "", signature = ""] = cookie?.split(".") ?? [];
  const given = Buffer.from(signature, "base64url");
  const expected = sign(payload);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return Buffer.from(payload, "base64url").toString();
}

function sign(payload: string): Buffer {
  const secret = process.env.CHANCTL_TOKEN; // the same after a restart, so sessions outlive it
  if (!secret) throw new Error("CHANCTL_TOKEN is not set: start the app with `npx chanctl dev`");
  return createHmac("sha256", secret).update(`session ${payload}`).digest();
}
