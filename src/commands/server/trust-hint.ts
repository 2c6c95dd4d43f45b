/** The command that makes this user's browsers trust a CA. */
export function trustCommand(caPath: string, platform: NodeJS.Platform): string {
  if (platform === "darwin") {
    return `security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db "${caPath}"`;
  }
  if (platform === "win32") return `certutil -user -addstore Root "${caPath}"`;
  return `mkdir -p ~/.pki/nssdb && certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n chanctl -i "${caPath}"`;
}
