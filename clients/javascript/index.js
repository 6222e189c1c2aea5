// A client of a Semantik server for Node 20 and browsers: docs/how-to/clients.md.

import { Refused, Unavailable, refusal } from "./errors.js";
import { OPERATIONS } from "./operations.js";
import { repeated } from "./retries.js";
import { events, jsonLines } from "./streams.js";
import { follow } from "./watch.js";

export { Refused, Unavailable };

const ANSWER_MS = 90_000;
const EARLY_MS = 5_000; // a token is renewed this long before it expires
const STREAMED = new Set(["events", "lines", "bytes"]);

export class Client {
  #refreshToken = null;
  #staleAt = 0;
  #renewing = null;

  /**
   * `url`: where the server is; in a page of that server the empty text, and the cookie of the page signs in.
   * `token`: an API key, or an access token. `attempts`: of a call at most; `patience`: seconds of pauses between them.
   */
  constructor(url = "", { token = "", attempts = 4, patience = 30 } = {}) {
    this.url = url.replace(/\/+$/, "");
    this.token = token;
    this.retries = { attempts, patience };
  }

  /** Sign in; from now on the access token is renewed by itself. `code`: of the second factor. */
  async signIn(username, password, code = undefined) {
    this.#refreshToken = null;
    this.#store(await this.call("login", { username, password, code }));
  }

  /** Call an operation by its name, with path, query and body as the properties of one object. */
  async call(name, args = {}, { signal } = {}) {
    const [, , result, { repeatable = false }] = OPERATIONS[name];
    const response = await repeated(() => this.#send(name, args, signal), repeatable, this.retries, signal);
    if (result === "json") return await body(response, "json");
    if (result === "text") return await body(response, "text");
    if (result === "headers") return response.headers;
    if (result === "bytes") return response;
    if (result === "events") return events(response);
    if (result === "lines") return jsonLines(response);
    await response.body?.cancel();
    return undefined;
  }

  /** The items of all pages of a call that lists something. */
  async *each(name, args = {}, options = {}) {
    let cursor;
    do {
      const page = await this.call(name, cursor ? { ...args, cursor } : args, options);
      yield* page.items;
      cursor = page.next_cursor;
    } while (cursor);
  }

  /**
   * An operation's messages to its end, each once and in order, however often the connection is lost. `since`: the id of
   * the last message that the caller has, or "$" for new ones only. `patience`: seconds without a connection.
   */
  watch(operationId, { since, patience, signal } = {}) {
    const connect = (cursor) =>
      this.#send("followOperation", { operation_id: operationId, since: cursor ?? undefined }, signal);
    return follow(connect, { since, patience, signal, isStale: () => this.#isStale });
  }

  async #send(name, args, signal) {
    if (name !== "refresh") await this.#renew();
    const [method, template, result, more] = OPERATIONS[name];
    const rest = { ...args };
    const take = (key) => {
      const value = rest[key];
      delete rest[key];
      return value;
    };
    const path = template.replace(/{(\w+)}/g, (_, key) => {
      if (rest[key] === undefined) throw new TypeError(`${name} needs ${key}`);
      return encodeURIComponent(take(key));
    });
    const query = new URLSearchParams();
    for (const key of more.query ?? []) {
      const value = take(key);
      if (value !== undefined) query.set(key, String(value));
    }
    const headers = new Headers(more.fixed);
    for (const key of more.headers ?? []) {
      const value = take(key);
      if (value !== undefined) headers.set(key, String(value));
    }
    if (this.token) headers.set("Authorization", `Bearer ${this.token}`);
    if (more.body) headers.set("Content-Type", more.body === "json" ? "application/json" : more.body);
    const content = more.body === "json" ? JSON.stringify(rest) : take("content");
    if (more.body !== "json" && Object.keys(rest).length) {
      throw new TypeError(`${name} has no ${Object.keys(rest).join(", ")}`);
    }
    const address = `${this.url}${path}${query.size ? `?${query}` : ""}`;
    const response = await this.#fetch(address, { method, headers, body: content }, STREAMED.has(result), signal);
    if (response.status >= 400) throw await refusal(response);
    return response;
  }

  async #fetch(address, request, isStream, signal) {
    const deadline = isStream ? null : AbortSignal.timeout(ANSWER_MS);
    const signals = [signal, deadline].filter(Boolean);
    try {
      return await fetch(address, { ...request, signal: signals.length ? AbortSignal.any(signals) : undefined });
    } catch (error) {
      if (signal?.aborted) throw error;
      const reason = error.cause?.message || error.cause?.code || error.message; // a cause of several has no message
      const sent = error.cause?.code !== "ECONNREFUSED"; // a browser does not say
      throw new Unavailable(`${this.url || address} does not answer: ${reason}.`, sent, { cause: error });
    }
  }

  get #isStale() {
    return this.#refreshToken !== null && Date.now() > this.#staleAt;
  }

  /** Renew a stale access token; once for all calls, as a refresh token that is used twice ends the session. */
  async #renew() {
    if (!this.#isStale) return;
    this.#renewing ??= this.#refresh().finally(() => { this.#renewing = null; });
    await this.#renewing;
  }

  async #refresh() {
    try {
      const response = await this.#send("refresh", { refresh_token: this.#refreshToken });
      this.#store(await response.json());
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.#refreshToken = null;
      throw error;
    }
  }

  #store(tokens) {
    this.token = tokens.access_token;
    this.#refreshToken = tokens.refresh_token;
    this.#staleAt = Date.now() + tokens.expires_in * 1000 - EARLY_MS;
  }
}

async function body(response, kind) {
  try {
    return await response[kind]();
  } catch (error) {
    if (error instanceof SyntaxError) throw new Refused(response.status, `${response.url} sent no JSON.`);
    throw new Unavailable("The connection was lost before the end of the answer.", true, { cause: error });
  }
}

for (const name of Object.keys(OPERATIONS)) {
  Client.prototype[name] = function call(args, options) {
    return this.call(name, args, options);
  };
}
