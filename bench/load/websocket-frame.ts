const FIN_TEXT = 0x81;
const MASKED = 0x80;
const LENGTH_16 = 126;
const MAX_LENGTH_7 = 125;
/** Any four bytes but zeros: `ws` skips the unmasking for those, which real clients never spare it. */
const MASK = [0x5a, 0x13, 0xc7, 0x8e] as const;

/**
 * Encodes one text frame of at most 64 KiB as a client sends it: masked.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5.3
 */
export function encodeMaskedFrame(payload: Buffer): Buffer {
  const isShort = payload.length <= MAX_LENGTH_7;
  const maskAt = isShort ? 2 : 4;
  const frame = Buffer.allocUnsafe(maskAt + MASK.length + payload.length);
  frame[0] = FIN_TEXT;
  frame[1] = MASKED | (isShort ? payload.length : LENGTH_16);
  if (!isShort) frame.writeUInt16BE(payload.length, 2);
  frame.set(MASK, maskAt);
  const from = maskAt + MASK.length;
  for (let index = 0; index < payload.length; index += 1) {
    frame[from + index] = (payload[index] ?? 0) ^ (MASK[index & 3] ?? 0);
  }
  return frame;
}
