// Which failed requests are sent again, and when: as in the Python client.

import { Refused, Unavailable } from "./errors.js";

const LONGEST_PAUSE_S = 5;
const TEMPORARY = new Set([502, 503, 504]);

/**
 * Calls `attempt` until it succeeds, with `attempts` at most and at most `patience` seconds of pauses. A request that
 * is not repeatable is sent again only if the server cannot have executed it.
 */
export async function repeated(attempt, repeatable, { attempts, patience }, signal) {
  let waited = 0;
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= attempts || !mayHelp(error, repeatable)) throw error;
      const pause = Math.max(backoff(tries), error.retryAfter ?? 0);
      waited += pause;
      if (waited > patience) throw error;
      await sleep(pause, signal);
    }
  }
}

function mayHelp(error, repeatable) {
  if (error instanceof Refused) return error.status === 429 || (repeatable && TEMPORARY.has(error.status));
  return error instanceof Unavailable && (repeatable || !error.sent);
}

/** Seconds before the next try: doubled each time, with jitter. */
export function backoff(tries) {
  return Math.min(LONGEST_PAUSE_S, 0.25 * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
}

/** Wait for some seconds; rejects when the signal is aborted. */
export function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
