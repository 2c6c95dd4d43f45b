import type { StreamRefused } from "../../broker/stream-operation.ts";
import { encodeOffset } from "../../protocol/offset.ts";
import type { ProducerStamp } from "../../broker/stream-operation.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { HttpResponse } from "../http.ts";

interface RefusedRequest {
  readonly name: string;
  readonly producer?: ProducerStamp | undefined;
}

/**
 * The error that a refusal is; what else the protocol wants said of it is set as headers.
 *
 * @see PROTOCOL.md, sections 4.2, 5.1, 5.2 and 5.2.1
 */
export function toRefusal(
  response: HttpResponse,
  refused: StreamRefused,
  { name, producer }: RefusedRequest,
): ChanctlError {
  switch (refused.reason) {
    case "unknown":
      return new ChanctlError("stream_unknown", `there is no stream \`${name}\``);
    case "soft-deleted":
      return new ChanctlError("stream_deleted", `the stream \`${name}\` was deleted`);
    case "exists":
      return new ChanctlError(
        "stream_exists",
        `the stream \`${name}\` is there, and ${refused.what} differs`,
      );
    case "source-unknown":
      return new ChanctlError("stream_unknown", "there is no stream at `Stream-Forked-From`");
    case "source-soft-deleted":
      return new ChanctlError("stream_exists", "the stream at `Stream-Forked-From` was deleted");
    case "fork-offset":
      return new ChanctlError(
        "malformed",
        "`Stream-Fork-Offset` is no offset of the stream at `Stream-Forked-From`",
      );
    case "fork-sub-offset":
      return new ChanctlError("malformed", "`Stream-Fork-Sub-Offset` reaches beyond what was written there");
    case "fork-depth":
      return new ChanctlError(
        "malformed",
        `the stream at \`Stream-Forked-From\` is a fork ${refused.max} deep, the most there may be; fork one that is ` +
          "less deep, or make a new stream and append to it what this one holds",
      );
    case "media-type":
      return new ChanctlError(
        "media_type_mismatch",
        `\`Content-Type\` must be ${refused.mediaType}, the stream's own`,
      );
    case "closed":
      response.setHeader("stream-closed", "true");
      response.setHeader("stream-next-offset", encodeOffset(refused.tail));
      // Without it the protocol's own client sends the same batch for ever.
      if (producer !== undefined) response.setHeader("producer-expected-seq", String(producer.seq));
      return new ChanctlError("stream_closed", `the stream \`${name}\` is closed`);
    case "seq":
      return new ChanctlError(
        "seq_conflict",
        `\`Stream-Seq\` must be greater than \`${refused.lastSeq}\`, the last one`,
      );
    case "stale-epoch":
      response.setHeader("producer-epoch", String(refused.epoch));
      return new ChanctlError("producer_fenced", `\`Producer-Epoch\` must be at least ${refused.epoch}`);
    case "epoch-start":
      return new ChanctlError("malformed", "`Producer-Seq` must be 0 where `Producer-Epoch` is a new one");
    case "seq-gap":
      response.setHeader("producer-expected-seq", String(refused.expectedSeq));
      response.setHeader("producer-received-seq", String(producer?.seq ?? ""));
      return new ChanctlError(
        "producer_gap",
        `\`Producer-Seq\` must be ${refused.expectedSeq}, the next one`,
      );
    default:
      return refused satisfies never;
  }
}
