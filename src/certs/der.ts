/** The tags of what node-forge cannot encode by itself. */
export const TAG = {
  bitString: 0x03,
  octetString: 0x04,
  sequence: 0x30,
  /** A field of a constructed type, `[n] IMPLICIT` of a sequence. */
  constructedField: (n: number): number => 0xa0 | n,
  /** A field of a plain type, `[n] IMPLICIT` of bytes or text. */
  plainField: (n: number): number => 0x80 | n,
};

/**
 * Encodes one DER value of less than 256 bytes.
 *
 * ```
 * tag │ length: one byte below 128, else 0x81 and one byte │ content
 * ```
 */
export function encodeDer(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length > 255) throw new RangeError(`a DER value must be below 256 bytes, got ${body.length}`);
  const head = body.length < 128 ? [tag, body.length] : [tag, 0x81, body.length];
  return Buffer.concat([Buffer.from(head), body]);
}
