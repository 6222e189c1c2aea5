// The types of index.js: arguments and results are those of docs/openapi.yaml.

import type { components, operations } from "./schema.js";
import type { Results } from "./operations.js";

export type Schemas = components["schemas"];
export type CallName = keyof Results;

/** A query parameter that is "true" or "false" is a boolean. */
type Flag<T> = string extends T ? T : "true" extends T ? boolean : T;
type Flags<T> = { [K in keyof T]: Flag<T[K]> };
type Known<T> = [NonNullable<T>] extends [never] ? {} : NonNullable<T>;
type Part<T, K extends PropertyKey> = T extends { [_ in K]?: infer P } ? Known<P> : {};
type Content<T> = T extends { content: infer C }
  ? C extends { "application/json": infer J }
    ? J extends Record<string, never>
      ? {}
      : J
    : { content: BodyInit }
  : {};
type Body<O> = O extends { requestBody?: infer B } ? Content<Known<B>> : {};
type Flat<T> = { [K in keyof T]: T[K] };

/** Path, query, headers and body of a call as one object. */
export type Arguments<N extends CallName> = Flat<
  Part<operations[N]["parameters"], "path"> &
    Flags<Omit<Part<operations[N]["parameters"], "query">, "token">> &
    Omit<Part<operations[N]["parameters"], "header">, "Tus-Resumable"> &
    Body<operations[N]>
>;

type Json<R> = { [S in keyof R & (200 | 201 | 202)]: R[S] extends { content: infer C } ? C[keyof C] : never }[keyof R &
  (200 | 201 | 202)];

export interface ServerEvent {
  event: string;
  id: string;
  data: unknown;
}

interface Kinds<R> {
  json: Json<R>;
  lines: AsyncGenerator<Json<R>>;
  events: AsyncGenerator<ServerEvent>;
  text: string;
  headers: Headers;
  bytes: Response;
  none: undefined;
}

export type Result<N extends CallName> = Kinds<operations[N]["responses"]>[Results[N]];

export interface CallOptions {
  signal?: AbortSignal;
}

type Method<N extends CallName> =
  {} extends Arguments<N>
    ? (args?: Arguments<N>, options?: CallOptions) => Promise<Result<N>>
    : (args: Arguments<N>, options?: CallOptions) => Promise<Result<N>>;

type Calls = { [N in CallName]: Method<N> };
type Listing = {
  [N in CallName]: Result<N> extends { items: unknown[]; next_cursor: string | null } ? N : never;
}[CallName];
type Item<N extends CallName> = Result<N> extends { items: (infer I)[] } ? I : never;

/** A message of an operation; docs/reference/websocket-api.md has the types and their fields. */
export interface Message {
  type: string;
  operation_id: string;
  timestamp: string;
  id?: string;
  seq?: number;
  data: Record<string, unknown>;
  [field: string]: unknown;
}

export interface ClientOptions {
  token?: string;
  attempts?: number;
  patience?: number;
}

export interface WatchOptions extends CallOptions {
  since?: string;
  patience?: number;
}

export interface Client extends Calls {}
export class Client {
  constructor(url?: string, options?: ClientOptions);
  url: string;
  token: string;
  signIn(username: string, password: string, code?: string): Promise<void>;
  call<N extends CallName>(name: N, args?: Arguments<N>, options?: CallOptions): Promise<Result<N>>;
  each<N extends Listing>(name: N, args?: Arguments<N>, options?: CallOptions): AsyncGenerator<Item<N>>;
  watch(operationId: string, options?: WatchOptions): AsyncGenerator<Message>;
}

export class Refused extends Error {
  status: number;
  problem: string;
  retryAfter: number | null;
}

export class Unavailable extends Error {
  sent: boolean;
}
