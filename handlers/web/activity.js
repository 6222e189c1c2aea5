// The running operations, above every view: one card each, and one WebSocket for all of them.
// While that socket is unavailable, REST is polled for the list, and each running operation has its own client.
import { request, url } from "./api.js";
import { OperationCard } from "./operation-card.js";
import { OperationClient, endStatus } from "./operation-client.js";
import { OperationState } from "./operation-state.js";
import { OperationsClient } from "./operations-client.js";

const REFRESH_MS = 3_000;
const POLL_MS = 2_000;

export class Activity {
  #entries = new Map();
  #dismissed = new Set(); // closed by the user: not shown again
  #feed = null;
  #connection = { state: "live", reason: "" };
  #refreshTimer = 0;
  #pollTimer = 0;

  /** `collectionStore` is refreshed as operations progress; `announce(text)` goes to screen readers. */
  constructor(section, collectionStore, announce) {
    this.section = section;
    this.collectionStore = collectionStore;
    this.announce = announce;
    collectionStore.addEventListener("change", () => this.#onCollections());
  }

  /** Show queued and running operations, and those that start later, whoever starts them. */
  start() {
    this.#feed?.stop();
    this.#feed = new OperationsClient({
      onMessage: (message) => this.#onMessage(message),
      onConnection: (state, reason) => this.#onConnection(state, reason),
    });
    this.#feed.start();
  }

  /** Show an operation that this page has just started, and scroll to it. */
  follow(id, collectionId) {
    if (!this.#entries.has(id)) this.#show(id, collectionId);
    if (this.#pollTimer) this.#schedulePoll(0);
    this.#entries.get(id).card.node.scrollIntoView({ block: "nearest" });
  }

  /** Stop following: the user signed out. */
  clear() {
    this.#feed?.stop();
    this.#feed = null;
    this.#connection = { state: "live", reason: "" };
    for (const id of [...this.#entries.keys()]) this.#remove(id);
    this.#dismissed.clear();
    clearTimeout(this.#refreshTimer);
    clearTimeout(this.#pollTimer);
    this.#refreshTimer = this.#pollTimer = 0;
  }

  #show(id, collectionId) {
    // A new operation replaces the ended ones of its collection, as with a watched folder; the operation list keeps them.
    for (const [old, { collectionId: oldCollection, state: { ended, status } }] of this.#entries) {
      if (oldCollection === collectionId && ended && status !== "failed") this.#remove(old);
    }
    const state = new OperationState();
    const titled = () => ({ id: collectionId, name: this.collectionStore.get(collectionId)?.name ?? "" });
    const collectionLink = (target) => `#/collections/${encodeURIComponent(target)}`;
    const card = new OperationCard(id, state, { titled, collectionLink, onDismiss: () => this.#remove(id) });
    const known = Boolean(this.collectionStore.get(collectionId));
    const entry = { id, state, card, client: null, collectionId, known, pending: false, announced: "" };
    card.connection(this.#connection.state, this.#connection.reason);
    this.#entries.set(id, entry);
    this.section.append(card.node);
    if (!known) this.#refresh(0);
    return entry;
  }

  #remove(id) {
    const entry = this.#entries.get(id);
    entry.client?.stop();
    entry.card.node.remove();
    this.#entries.delete(id);
    this.#dismissed.add(id);
  }

  #onMessage(message) {
    const { operation_id: id, type, data } = message;
    // After a reconnect the server also sends operations that had ended before this page was opened.
    const isNew = type === "current_state" && !endStatus(message) && !this.#dismissed.has(id);
    const entry = this.#entries.get(id) ?? (isNew ? this.#show(id, data.collection_id) : null);
    if (entry) this.#apply(entry, message);
  }

  #onConnection(state, reason) {
    const before = this.#connection.state;
    this.#connection = { state, reason };
    if (state === "live") {
      clearTimeout(this.#pollTimer);
      this.#pollTimer = 0;
    }
    for (const entry of this.#entries.values()) {
      if (state === "live") this.#followSeparately(entry, false);
      if (!entry.client && !entry.state.ended) entry.card.connection(state, reason);
    }
    if (state === "stopped" || (state === "unreachable" && !this.#pollTimer)) this.#schedulePoll(0);
    if (state === "live" && before !== "live") this.#refresh(0); // something may have been missed
  }

  /** Give an operation a client of its own, or remove that client. */
  #followSeparately(entry, wanted) {
    if (wanted === Boolean(entry.client)) return;
    entry.client?.stop();
    entry.client = !wanted ? null : new OperationClient(entry.id, {
      onMessage: (message) => this.#apply(entry, message),
      onConnection: (state, reason) => entry.card.connection(state, reason),
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
    const stopped = this.#connection.state === "stopped";
    for (const operation of items) {
      const { id, status } = operation;
      if (this.#entries.get(id)?.state.ended) continue;
      this.#onMessage({ type: "current_state", operation_id: id, data: operation });
      const entry = this.#entries.get(id);
      if (!entry || stopped) continue;
      // Also one that has ended meanwhile: its messages contain more than its record.
      if (status === "queued") entry.card.connection("polling");
      else this.#followSeparately(entry, true);
    }
    if (!stopped) this.#schedulePoll(POLL_MS);
  }

  #apply(entry, message) {
    const before = entry.state.status;
    entry.state.apply(message);
    if (!entry.pending) {
      entry.pending = true;
      // A timer, not an animation frame: a background tab must be up to date when it becomes visible.
      setTimeout(() => this.#draw(entry), 50);
    }
    if (entry.state.status !== before) this.#refresh(0);
    else if (!entry.state.ended && message.type !== "presence") this.#refresh(REFRESH_MS);
  }

  #draw(entry) {
    entry.pending = false;
    entry.card.draw();
    const text = `${entry.card.title.textContent}: ${entry.state.stageText}`;
    if (text === entry.announced) return;
    entry.announced = text;
    this.announce(entry.state.ended ? `${text}. ${entry.state.countsText}` : text);
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
    for (const [id, entry] of this.#entries) {
      const found = Boolean(this.collectionStore.get(entry.collectionId));
      if (!found && (entry.known || entry.state.ended)) this.#remove(id);
      else entry.card.draw();
      entry.known ||= found;
    }
  }
}
