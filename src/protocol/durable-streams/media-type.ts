/** The media type of a stream that none was given for (PROTOCOL.md, section 5.1). */
export const DEFAULT_MEDIA_TYPE = "application/octet-stream";

/** The media type of a stream of messages (section 9.1). */
export const JSON_MEDIA_TYPE = "application/json";

const MEDIA_TYPE = /^[!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+$/;

/**
 * The type and subtype of a `Content-Type`, in lower case: streams are compared by it, and serve it bare.
 *
 * @returns `undefined` if the header is not a media type (RFC 9110, section 8.3.1).
 */
export function parseMediaType(header: string): string | undefined {
  const type = header.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return MEDIA_TYPE.test(type) ? type : undefined;
}

/** How the content of a stream is counted and served: as JSON messages, as text, or as bytes. */
export type ContentKind = "json" | "text" | "bytes";

/** Which kind of content a media type is (section 5.8: only text and JSON go into events as they are). */
export function contentKindOf(mediaType: string): ContentKind {
  if (mediaType === JSON_MEDIA_TYPE) return "json";
  return mediaType.startsWith("text/") ? "text" : "bytes";
}
