import { JSON_MEDIA_TYPE } from "../../../protocol/durable-streams/media-type.ts";
import type { Io } from "../../io.ts";
import { readDataArgument, readJsonLines } from "../../publish/data-source.ts";
import { gather } from "../../publish/gather.ts";
import { readBytesArgument } from "../data-argument.ts";

/** As the producer of the protocol's own client has them; servers take them. */
const MAX_BYTES = 1_024 * 1_024;
const MAX_ITEMS = 10_000;

/**
 * The bodies of the appends that a data argument comes to. A JSON stream gets one message for each line of standard
 * input, or for the argument or file; any other the bytes as they are. Input is read no faster than it is appended.
 *
 * @throws {ChanctlError} `usage` for what is no JSON or no file; what came before it is in the bodies before.
 */
export async function* readBodies(
  argument: string,
  { mediaType, io }: { mediaType: string; io: Io },
): AsyncGenerator<Buffer> {
  const limits = { maxItems: MAX_ITEMS, maxSize: MAX_BYTES, isFilled: false };
  if (mediaType !== JSON_MEDIA_TYPE) {
    const pieces = readBytesArgument(argument, io);
    for await (const group of gather(pieces, { ...limits, sizeOf: (piece) => piece.length }))
      yield Buffer.concat(group);
    return;
  }
  const messages = argument === "-" ? readJsonLines(io.stdin) : readDataArgument(argument, io.cwd);
  for await (const group of gather(messages, { ...limits, sizeOf: ({ dataText }) => dataText.length })) {
    // In an array of our own, which the server flattens, a message that is an array stays one (section 9.1.2).
    yield Buffer.from(`[${group.map(({ dataText }) => dataText).join(",")}]`);
  }
}
