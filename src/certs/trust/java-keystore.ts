import { AUTHORITY_PREFIX, authoritiesIn, type HeldAuthority } from "./authority-certificate.ts";
import type { Machine } from "./machine.ts";

interface JavaKeystoreOptions {
  /** The file, absolute. */
  readonly cacerts: string;
  readonly keytool: string;
  readonly machine: Machine;
}

/** A CA of chanctl as a Java's file of CAs holds it. */
export interface AliasedAuthority extends HeldAuthority {
  /** The name by which keytool knows it. */
  readonly alias: string;
}

/** A Java's file of CAs, and the `keytool` that lists and changes it. */
export interface JavaKeystore {
  /** Whether a certificate is in the file. Starts nothing. */
  has(certificate: Pick<HeldAuthority, "der">): boolean;
  /** The CAs of chanctl. Starts a Java only where there is one, and the file has changed since. */
  held(): Promise<readonly AliasedAuthority[]>;
  /** The command that does this to the file. */
  toCommand(args: readonly string[]): readonly string[];
  /** The command that takes one out. */
  toDeletion(held: AliasedAuthority): readonly string[];
}

/** The file of CAs at a path. */
export function javaKeystore({ cacerts, keytool, machine }: JavaKeystoreOptions): JavaKeystore {
  let listed: { readonly bytes: Buffer; readonly held: readonly AliasedAuthority[] } | undefined;
  const toCommand = (args: readonly string[]) => [
    keytool,
    ...args,
    "-keystore",
    cacerts,
    "-storepass",
    "changeit", // the password of every Java's own store, and no secret
    "-J-Duser.language=en",
  ];
  return {
    // Certificates lie in the file as they are; a Java takes half a second to start.
    has: ({ der }) => machine.files.read(cacerts)?.includes(der) === true,
    async held() {
      const bytes = machine.files.read(cacerts);
      if (bytes?.includes(AUTHORITY_PREFIX) !== true) return [];
      if (listed?.bytes.equals(bytes) === true) return listed.held;
      const { code, stdout } = await machine.run(toCommand(["-list", "-rfc"]));
      const held = parseListing(stdout);
      if (code === 0) listed = { bytes, held };
      return held;
    },
    toCommand,
    toDeletion: ({ alias }) => toCommand(["-delete", "-alias", alias]),
  };
}

/**
 * The CAs of chanctl in what `keytool -list -rfc` prints.
 *
 * ```
 * Alias name: chanctl local ca 1a2b3c4d
 * …
 * -----BEGIN CERTIFICATE-----
 * ```
 */
function parseListing(listing: string): readonly AliasedAuthority[] {
  return listing.split(/^Alias name: /m).flatMap((entry) => {
    const [alias = ""] = entry.split(/\r?\n/, 1);
    return alias === "" ? [] : authoritiesIn(entry).map((authority) => ({ ...authority, alias }));
  });
}
