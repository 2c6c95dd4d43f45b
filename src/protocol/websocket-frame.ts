/** The sub-protocol that chanctl speaks; echoed when a client offers it. */
export const SUB_PROTOCOL = "chanctl.v1";

const FIN_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * Encodes one unmasked, unfragmented text frame, as a server sends it.
 *
 * ```
 *  81 | 0…125          | payload
 *  81 | 7e | 16 bits   | payload
 *  81 | 7f | 64 bits   | payload
 * ```
 *
 * A frame is made once for all subscribers of a stream and written to their sockets as it is; a send for each
 * of them would frame the same bytes a thousand times.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5.2
 */
export function encodeTextFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headBytes = length < LENGTH_16 ? 2 : length <= 0xff_ff ? 4 : 10;
  const frame = Buffer.allocUnsafe(headBytes + length);
  frame[0] = FIN_TEXT;
  if (headBytes === 2) frame[1] = length;
  else if (headBytes === 4) {
    frame[1] = LENGTH_16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_64;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headBytes, "utf8");
  return frame;
}
