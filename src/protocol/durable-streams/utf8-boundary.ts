/** What a character takes at most in UTF-8. */
export const MAX_CHARACTER_BYTES = 4;

/**
 * How many bytes at the end of a buffer begin a UTF-8 character that goes on beyond it: 0 to 3.
 *
 * A writer may split a character over two appends; whoever decoded each alone would show two broken ones. What does
 * not begin a valid character counts as whole: it will not get better by waiting.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3629#section-3
 */
export function incompleteTailLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue; // a continuation: its first byte is further back
    return lengthByFirstByte(byte) > back ? back : 0;
  }
  return 0;
}

function lengthByFirstByte(byte: number): number {
  if (byte >= 0xc2 && byte <= 0xdf) return 2;
  if (byte >= 0xe0 && byte <= 0xef) return 3;
  if (byte >= 0xf0 && byte <= 0xf4) return 4;
  return 1;
}
