/** What to tell who types `tail -f`, as they know it of the system's own `tail`. */
export const FOLLOWS_BY_ITSELF = "leave it out: `chanctl tail` follows by itself";
