import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveConfigHome } from "#src/platform/config-home.ts";

type Env = Readonly<Record<string, string>>;

const onLinux = (env: Env) => resolveConfigHome({ env, platform: "linux", homedir: "/home/ada" });
const onMac = (env: Env) => resolveConfigHome({ env, platform: "darwin", homedir: "/Users/ada" });
const onWindows = (env: Env) =>
  resolveConfigHome({ env, platform: "win32", homedir: String.raw`C:\Users\ada` });

describe("resolveConfigHome", () => {
  it("takes CHANCTL_HOME first, made absolute", () => {
    expect(onLinux({ CHANCTL_HOME: "/srv/keys", XDG_CONFIG_HOME: "/x" })).toBe("/srv/keys");
    expect(onMac({ CHANCTL_HOME: "/srv/keys" })).toBe("/srv/keys");
    expect(onLinux({ CHANCTL_HOME: "keys" })).toBe(join(process.cwd(), "keys"));
  });

  it("counts an empty CHANCTL_HOME as unset", () => {
    expect(onLinux({ CHANCTL_HOME: "" })).toBe("/home/ada/.config/chanctl");
  });

  it("follows XDG_CONFIG_HOME where it is absolute", () => {
    expect(onLinux({ XDG_CONFIG_HOME: "/etc/ada" })).toBe("/etc/ada/chanctl");
    expect(onLinux({ XDG_CONFIG_HOME: "relative" })).toBe("/home/ada/.config/chanctl");
    expect(onLinux({ XDG_CONFIG_HOME: "" })).toBe("/home/ada/.config/chanctl");
  });

  it("uses the platform's own place", () => {
    expect(onLinux({})).toBe("/home/ada/.config/chanctl");
    expect(onMac({})).toBe("/Users/ada/Library/Application Support/chanctl");
    expect(onWindows({ APPDATA: String.raw`D:\Roaming` })).toBe(String.raw`D:\Roaming\chanctl`);
    expect(onWindows({})).toBe(String.raw`C:\Users\ada\AppData\Roaming\chanctl`);
  });
});
