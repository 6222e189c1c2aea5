// Follows an operation to its end over Server-Sent Events, which fetch can read everywhere, with a header for the token:
// Node 20 has no WebSocket, and a browser's can send no header. docs/reference/websocket-api.md has the messages.

import { Refused, Unavailable } from "./errors.js";
import { backoff, sleep } from "./retries.js";
import { events } from "./streams.js";

const NORMAL = 1000;
const FINAL = new Set([1007, 1008, 1009]); // a new connection would end the same way
const SILENCE_S = 45; // the server sends a comment every 15 seconds
const STABLE_S = 10; // a connection that lasted this long counts as progress

/**
 * The messages of an operation, each once and in order, however often the connection is lost. `connect(since)` returns
 * the response of the event stream. Throws Refused, and Unavailable when no connection succeeds for `patience` seconds.
 */
export async function* follow(connect, { since = null, patience = 60, signal, isStale = () => false }) {
  const seen = new Seen(since);
  let losses = 0;
  let lostAt = 0;
  while (true) {
    const connectedAt = performance.now();
    try {
      for await (const message of messages(await connect(seen.since))) {
        const isNew = seen.isNew(message);
        if ((isNew && message.seq) || performance.now() - connectedAt > STABLE_S * 1000) losses = 0;
        if (isNew) yield message;
      }
      return;
    } catch (error) {
      if (error instanceof Refused && FINAL.has(error.status) && isStale()) continue; // the token has expired
      if (!isLoss(error)) throw error;
      if (losses === 0) lostAt = performance.now();
      losses += 1;
      const pause = backoff(losses);
      if ((performance.now() - lostAt) / 1000 + pause > patience) {
        throw new Unavailable(`The connection could not be restored within ${patience} s: ${error.message}`, true, {
          cause: error,
        });
      }
      await sleep(pause, signal);
    }
  }
}

/** The messages of one connection; ends with the operation, and throws at any other end. */
async function* messages(response) {
  if (response.status === 204) return; // it has ended, and everything has arrived
  for await (const { event, data } of events(response, SILENCE_S)) {
    if (event !== "close") {
      yield data;
    } else if (data.code === NORMAL) {
      return;
    } else {
      throw FINAL.has(data.code) ? new Refused(data.code, data.reason) : new Unavailable(data.reason);
    }
  }
  throw new Unavailable("The server ended the connection.");
}

function isLoss(error) {
  if (error instanceof Refused) return error.status === 429 || error.status >= 500;
  return error instanceof Unavailable;
}

/** What was received, so that no message is yielded twice and the next connection resumes. */
class Seen {
  #seq = 0;
  #hasState = false;
  #start;

  constructor(since) {
    this.since = since;
    this.#start = since;
  }

  isNew(message) {
    if (message.seq !== undefined) {
      if (message.seq <= this.#seq) return false;
      this.#seq = message.seq;
      this.since = message.id;
    } else if (message.type === "history_truncated") {
      this.#hasState = false;
    } else if (message.type === "current_state") {
      if (this.#hasState) return false;
      this.#hasState = true;
      if (this.#start === "$" && this.#seq === 0) this.since = message.data.last_id; // later ones follow this state
    }
    return true;
  }
}
