/** What the thread that imports a config is given. */
export interface ConfigJob {
  /** The config's file, absolute. */
  readonly path: string;
  /** The module that was made of it, absolute. */
  readonly outfile: string;
}

/** What it answers: the default export as plain data, or why there is none. */
export type ConfigReport =
  | { readonly kind: "loaded"; readonly value: unknown }
  | { readonly kind: "no-default" }
  | { readonly kind: "not-data"; readonly key: string; readonly type: string }
  | {
      readonly kind: "thrown";
      readonly message: string;
      /** Where to correct it: `line 3 of chanctl.config.ts`. */
      readonly place: string;
      readonly code?: string;
    };
