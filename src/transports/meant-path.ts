/** More layers of escapes than anybody takes off. */
const MAX_LAYERS = 8;
const ESCAPE = /%[\da-f]{2}/i;

/**
 * The path that an unusual one means. Frameworks read `/x/../channels/authorize`, `/%63hannels/authorize`,
 * `/Channels/authorize`, `/channels;x/authorize` and the absolute form (RFC 9112, section 3.2.2) as the same, and some
 * decode twice: none may slip past to the app (CWE-22, CWE-174, CWE-178).
 */
export function meantPath(raw: string): string {
  let decoded = raw;
  for (let layer = 0; layer < MAX_LAYERS && ESCAPE.test(decoded); layer += 1)
    decoded = decodeLeniently(decoded);
  decoded = decoded.replaceAll(/;[^/]*/g, "");
  const url = /^https?:\/\//i.test(decoded) ? decoded : `http://host${decoded}`;
  return URL.canParse(url) ? new URL(url).pathname.replaceAll(/\/+/g, "/").toLowerCase() : raw;
}

/** Byte by byte: what is no UTF-8 elsewhere in a path does not keep a lenient decoder from reading the rest. */
function decodeLeniently(text: string): string {
  return text.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
