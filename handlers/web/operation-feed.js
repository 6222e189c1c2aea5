// The operations as the server publishes them: one WebSocket for all, and what is known of each. No DOM.
// While that socket is unavailable, REST is polled for the list, and each running operation has its own client.
import { request, url } from "./api.js";
import { OperationClient, endStatus } from "./operation-client.js";
import { OperationState } from "./operation-state.js";
import { OperationsClient } from "./operations-client.js";

const REFRESH_MS = 3_000;
const POLL_MS = 2_000;
const DRAW_MS = 50;
const KEPT_ENDED = 20;

/**
 * Emits "change" {detail: entries that changed} at most every 50 ms, "ended" {detail: entry} once for each operation that ends
 * while it is followed, and "removed" {detail: entry}. An entry has `id`, `collectionId`, `state`, `connection` {state, reason} and
 * `own`: it was started on this page.
 */
export class OperationFeed extends EventTarget {
  entries = new Map();
  connection = { state: "live", reason: "" };
  #dismissed = new Set(); // closed by the user: not shown again
  #changed = new Set();
  #feed = null;
  #refreshTimer = 0;
  #pollTimer = 0;

  /** `collectionStore` is refreshed as operations progress. */
  constructor(collectionStore) {
    super();
    this.collectionStore = collectionStore;
    collectionStore.addEventListener("change", () => this.#onCollections());
  }

  /** Follow queued and running operations, and those that start later, whoever starts them. */
  start() {
    this.#feed?.stop();
    this.#feed = new OperationsClient({
      onMessage: (message) => this.#onMessage(message),
      onConnection: (state, reason) => this.#onConnection(state, reason),
    });
    this.#feed.start();
  }

  /** Note that this page has started an operation. */
  follow(id, collectionId) {
    const entry = this.entries.get(id) ?? this.#add(id, collectionId);
    entry.own = true;
    this.#change(entry);
    if (this.#pollTimer) this.#schedulePoll(0);
  }

  /** Ask for nothing until `start`. */
  pause() {
    this.#feed?.stop();
    this.#feed = null;
    clearTimeout(this.#refreshTimer);
    clearTimeout(this.#pollTimer);
    this.#refreshTimer = this.#pollTimer = 0;
    for (const entry of this.entries.values()) this.#followSeparately(entry, false);
    this.collectionStore.stop();
  }

  /** Stop following: the user signed out. */
  clear() {
    this.pause();
    this.connection = { state: "live", reason: "" };
    for (const id of [...this.entries.keys()]) this.remove(id);
    this.#dismissed.clear();
  }

  /** Forget an operation: it is not listed again. */
  remove(id) {
    const entry = this.entries.get(id);
    entry.client?.stop();
    this.entries.delete(id);
    this.#changed.delete(entry);
    this.#dismissed.add(id);
    this.dispatchEvent(new CustomEvent("removed", { detail: entry }));
  }

  #add(id, collectionId) {
    // A new operation replaces the ended ones of its collection, as with a watched folder; the page Operations keeps them.
    for (const { id: old, collectionId: oldCollection, state } of [...this.entries.values()]) {
      if (oldCollection === collectionId && state.ended && state.status !== "failed") this.remove(old);
    }
    const ended = [...this.entries.values()].filter(({ state }) => state.ended);
    for (const { id: old } of ended.slice(0, -KEPT_ENDED)) this.remove(old);
    const known = Boolean(this.collectionStore.get(collectionId));
    const entry = { id, collectionId, state: new OperationState(), connection: this.connection, known, own: false, client: null };
    this.entries.set(id, entry);
    if (!known) this.#refresh(0);
    return entry;
  }

  #onMessage(message) {
    const { operation_id: id, type, data } = message;
    // After a reconnect the server also sends operations that had ended before this page was opened.
    const isNew = type === "current_state" && !endStatus(message) && !this.#dismissed.has(id);
    const entry = this.entries.get(id) ?? (isNew ? this.#add(id, data.collection_id) : null);
    if (entry) this.#apply(entry, message);
  }

  #onConnection(state, reason) {
    const before = this.connection.state;
    this.connection = { state, reason };
    if (state === "live") {
      clearTimeout(this.#pollTimer);
      this.#pollTimer = 0;
    }
    for (const entry of this.entries.values()) {
      if (state === "live") this.#followSeparately(entry, false);
      if (!entry.client && !entry.state.ended) this.#connected(entry, state, reason);
    }
    if (state === "stopped" || (state === "unreachable" && !this.#pollTimer)) this.#schedulePoll(0);
    if (state === "live" && before !== "live") this.#refresh(0); // something may have been missed
    this.dispatchEvent(new CustomEvent("connection"));
  }

  #connected(entry, state, reason = "") {
    entry.connection = { state, reason };
    entry.state.connected(state);
    this.#change(entry);
  }

  /** Give an operation a client of its own, or remove that client. */
  #followSeparately(entry, wanted) {
    if (wanted === Boolean(entry.client)) return;
    entry.client?.stop();
    entry.client = !wanted ? null : new OperationClient(entry.id, {
      onMessage: (message) => this.#apply(entry, message),
      onConnection: (state, reason) => this.#connected(entry, state, reason),
    });
    entry.client?.start();
  }

  #schedulePoll(delay) {
    clearTimeout(this.#pollTimer);
    this.#pollTimer = setTimeout(() => this.#poll(), delay);
  }

  /** Poll the list of operations until the socket is connected; only once if the socket was refused. */
  async #poll() {
    const feed = this.#feed;
    let items = [];
    try {
      ({ items } = await request("GET", url(["operations"], { limit: 100 })));
    } catch (error) {
      if (this.#pollTimer && error.status !== 401) this.collectionStore.dispatchEvent(new CustomEvent("error", { detail: error }));
    }
    if (feed !== this.#feed || !this.#pollTimer) return;
    const stopped = this.connection.state === "stopped";
    for (const operation of items) {
      const { id, status } = operation;
      if (this.entries.get(id)?.state.ended) continue;
      this.#onMessage({ type: "current_state", operation_id: id, data: operation });
      const entry = this.entries.get(id);
      if (!entry || stopped) continue;
      // Also one that has ended meanwhile: its messages contain more than its record.
      if (status === "queued") this.#connected(entry, "polling");
      else this.#followSeparately(entry, true);
    }
    if (!stopped) this.#schedulePoll(POLL_MS);
  }

  #apply(entry, message) {
    const { status: before, ended } = entry.state;
    entry.state.apply(message);
    this.#change(entry);
    if (entry.state.status !== before) this.#refresh(0);
    else if (!entry.state.ended && message.type !== "presence") this.#refresh(REFRESH_MS);
    if (entry.state.ended && !ended) this.dispatchEvent(new CustomEvent("ended", { detail: entry }));
  }

  #change(entry) {
    // A timer, not an animation frame: a background tab must be up to date when it becomes visible.
    if (this.#changed.size === 0) setTimeout(() => this.#emit(), DRAW_MS);
    this.#changed.add(entry);
  }

  #emit() {
    const detail = [...this.#changed];
    this.#changed.clear();
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }

  /** Reload the collections within `delay` ms; messages that arrive meanwhile share the reload. */
  #refresh(delay) {
    if (this.#refreshTimer && delay) return;
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = setTimeout(() => {
      this.#refreshTimer = 0;
      this.collectionStore.refreshQuietly();
    }, delay);
  }

  #onCollections() {
    for (const [id, entry] of this.entries) {
      const found = Boolean(this.collectionStore.get(entry.collectionId));
      if (!found && (entry.known || entry.state.ended)) this.remove(id);
      else this.#change(entry);
      entry.known ||= found;
    }
  }
}
