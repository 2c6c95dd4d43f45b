/** A frame is larger than the server takes. */
export const TOO_BIG = 1009;
/** The codes that a server chose: 4xyz is what HTTP calls xyz. */
export const OWN_CODES = 4000;
/** The one of them that is not: HTTP calls it 400. */
export const PARAMS_INVALID = 4422;
