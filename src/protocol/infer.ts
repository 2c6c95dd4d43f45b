import type { Params } from "./stream-path.ts";

/**
 * The type of the values that a JSON Schema accepts, read off the schema's own type.
 *
 * It covers what params and messages are made of: scalars, `const`, `enum`, arrays, objects, unions. Whatever
 * it does not know is `unknown`, never wrong. TypeBox schemas bring their type along in `static`.
 */
export type Infer<Schema> = Schema extends { readonly static: infer Static }
  ? Static
  : Schema extends { readonly const: infer Value }
    ? Value
    : Schema extends { readonly enum: readonly (infer Value)[] }
      ? Value
      : Schema extends { readonly anyOf: readonly (infer Member)[] }
        ? Infer<Member>
        : Schema extends { readonly oneOf: readonly (infer Member)[] }
          ? Infer<Member>
          : InferType<Schema, Field<Schema, "type">>;

/** Distributes over `type: ["string", "null"]` too. */
type InferType<Schema, Type> = Type extends readonly (infer Name)[]
  ? InferType<Schema, Name>
  : Type extends keyof Scalars
    ? Scalars[Type]
    : Type extends "array"
      ? readonly Infer<Field<Schema, "items">>[]
      : Type extends "object"
        ? InferObject<Schema>
        : unknown;

interface Scalars {
  readonly string: string;
  readonly integer: number;
  readonly number: number;
  readonly boolean: boolean;
  readonly null: null;
}

type InferObject<Schema> = Schema extends { readonly properties: infer Properties }
  ? Shape<Properties, RequiredKeys<Schema>>
  : Readonly<Record<string, unknown>>;

/** The params of a channel as a publisher gives them: what has a default may be left out. */
export type InferParams<Schema> = ParamsShape<Schema, Exclude<RequiredKeys<Schema>, DefaultedKeys<Schema>>>;

/** The params of a channel as the app sees them: the broker has filled in the defaults. */
export type InferFilledParams<Schema> = ParamsShape<Schema, RequiredKeys<Schema> | DefaultedKeys<Schema>>;

type NoParams = Readonly<Record<string, never>>;

type ParamsShape<Schema, Required> = Schema extends { readonly static: infer Static }
  ? Static
  : Schema extends { readonly properties: infer Properties }
    ? keyof Properties extends never
      ? NoParams
      : Shape<Properties, Required>
    : Schema extends { readonly type: "object" }
      ? NoParams
      : Params;

/** What a channel's messages are: one `{ type, data }` for each declared type. */
export type InferMessage<Messages> = MessageTypes<Messages>[keyof Messages & string];

/**
 * The messages of a channel by their type. `MessageTypes<M>[keyof M & string]` is `InferMessage<M>`, and compilers
 * show it as what it is; of the alias they would show the name and the whole schema.
 */
export type MessageTypes<Messages> = {
  readonly [Type in keyof Messages & string]: { readonly type: Type; readonly data: Infer<Messages[Type]> };
};

/**
 * The params of a defined channel, as whoever connects or publishes to it gives them.
 *
 * Like {@link ChannelMessages} it reads the definition's type alone: a page's code that has `typeof chat` by an
 * `import type` loads nothing of the channel.
 *
 * @example
 * ```ts
 * const params: ChannelParams<typeof chat> = { room: "lobby" };
 * ```
 */
export type ChannelParams<Channel> = Channel extends { readonly paramsSchema?: infer Schema }
  ? InferParams<Schema>
  : never;

/** The messages of a defined channel: one `{ type, data }` for each declared type. */
export type ChannelMessages<Channel> = Channel extends { readonly messages?: infer Messages }
  ? InferMessage<Messages>
  : never;

/** None where the schema's type does not say which: in a schema that is not a literal, `required` is `string[]`. */
type RequiredKeys<Schema> =
  Field<Schema, "required"> extends readonly (infer Key)[] ? (string extends Key ? never : Key) : never;

type DefaultedKeys<Schema> = {
  [Key in keyof Field<Schema, "properties">]: Field<Schema, "properties">[Key] extends {
    readonly default: unknown;
  }
    ? Key
    : never;
}[keyof Field<Schema, "properties">];

type Field<Schema, Name extends string> =
  Schema extends Readonly<Record<Name, infer Value>> ? Value : unknown;

/** One object: editors and compilers show it as one, not how it was made. */
type Shape<Properties, Required> = Flat<
  { readonly [Key in keyof Properties & Required]: Infer<Properties[Key]> } & {
    readonly [Key in Exclude<keyof Properties, Required>]?: Infer<Properties[Key]>;
  }
>;

type Flat<Intersection> = { [Key in keyof Intersection]: Intersection[Key] } & {};
