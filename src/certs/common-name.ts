import type { X509Certificate } from "node:crypto";

/** The name that a certificate's dialogs and lists show; its whole subject where it has no common name. */
export function commonNameOf({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? subject;
}
