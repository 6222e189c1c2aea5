// The REST API: sends JSON, throws a Problem with the server's error message, and retries when the server is busy.
// The session is an HttpOnly cookie, invisible to scripts; nothing is kept in the browser's storage.

const DEADLINE_MS = 75_000; // a query may wait for the model to load
const RETRY_MS = 60_000;

/** A request that the server refused; `message` is the `detail` of its answer. `status` 0: no answer. */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.name = "Problem";
    this.status = status;
  }
}

/** Emits "unauthorized" when a session has ended, and "waiting" {detail: text or null} while requests are retried. */
export const events = new EventTarget();

let waiting = 0;

function countWaiting(change, sentence) {
  waiting += change;
  if (change > 0) events.dispatchEvent(new CustomEvent("waiting", { detail: sentence }));
  else if (waiting === 0) events.dispatchEvent(new CustomEvent("waiting", { detail: null }));
}

/**
 * Send one request and return its JSON, or null if there is none. A `repeatable` request is retried while the server
 * answers 503 or not at all, for a minute at most. Requests that create something are not: they might create it twice.
 */
export async function request(method, path, options = {}) {
  const { body, signal, repeatable = method !== "POST", announce401 = true } = options;
  const deadline = performance.now() + RETRY_MS;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await once(method, path, body, signal);
    } catch (error) {
      if (error.status === 401 && announce401) events.dispatchEvent(new Event("unauthorized"));
      const temporary = error.status === 503 || error.status === 0;
      const delay = Math.max(error.retryAfterMs ?? 0, Math.min(8_000, 500 * 2 ** attempt));
      if (!temporary || !repeatable || performance.now() + delay > deadline) throw error;
      const sentence = error.status === 503
        ? "The server is busy; trying again…" : "The server does not answer; trying again…";
      countWaiting(1, sentence);
      try {
        await pause(delay, signal);
      } finally {
        countWaiting(-1);
      }
    }
  }
}

async function once(method, path, body, signal) {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  let response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    const text = await response.text();
    if (response.ok) return text ? JSON.parse(text) : null;
    throw problemOf(response, text);
  } catch (error) {
    if (signal?.aborted) throw new DOMException("The request was aborted", "AbortError");
    if (error instanceof Problem) throw error;
    if (deadline.aborted) throw new Problem(0, "The server took too long to answer. Try again in a moment.");
    if (response) throw new Problem(-1, "The server's answer could not be read. Reload the page and try again.");
    throw new Problem(0, "The server does not answer. Check that it is running, and try again.");
  }
}

function problemOf(response, text) {
  let detail = "";
  let type = "";
  if (response.headers.get("Content-Type")?.includes("json")) {
    const problem = JSON.parse(text);
    detail = problem.detail || problem.title;
    type = problem.type ?? "";
  }
  const error = new Problem(response.status, detail || `The server answered with status ${response.status}.`);
  error.type = type;
  error.retryAfterMs = 1000 * (Number(response.headers.get("Retry-After")) || 0);
  return error;
}

function pause(delay, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, delay);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("The request was aborted", "AbortError"));
    }, { once: true });
  });
}

/** A URL with its path segments and query encoded: `url(["collections", id, "documents"], {name: "a b"})`. */
export function url(parts, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const tail = given.length ? `?${new URLSearchParams(given)}` : "";
  return `/api/v2/${parts.map(encodeURIComponent).join("/")}${tail}`;
}

/** All items of a paginated list. */
export async function all(parts, query = {}, signal = undefined) {
  const items = [];
  let cursor = null;
  do {
    const page = await request("GET", url(parts, { ...query, cursor }), { signal });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return items;
}
