// The operations that run now, above whatever else the page shows: a card each, and one socket for all of them.
// While that cannot be had, REST tells how they stand, and those at work are followed each by itself.
import { request, url } from "./api.js";
import { OperationCard } from "./operation-card.js";
import { OperationClient, endOf } from "./operation-client.js";
import { OperationState } from "./operation-state.js";
import { OperationsClient } from "./operations-client.js";

const REFRESH_MS = 3_000;
const ASK_MS = 2_000;

export class Activity {
  #entries = new Map();
  #closed = new Set(); // put away by the person: not shown again
  #feed = null;
  #connection = { state: "live", reason: "" };
  #refreshDue = 0;
  #askDue = 0;

  /** `library` knows the collections and is refreshed as operations move; `announce(text)` is read aloud. */
  constructor(section, library, announce) {
    this.section = section;
    this.library = library;
    this.announce = announce;
    library.addEventListener("change", () => this.#onLibrary());
  }

  /** Show the operations that run or wait, and those that begin later, whoever begins them. */
  start() {
    this.#feed?.stop();
    this.#feed = new OperationsClient({
      onFrame: (frame) => this.#onFrame(frame),
      onConnection: (state, reason) => this.#onConnection(state, reason),
    });
    this.#feed.start();
  }

  /** Show an operation that was asked for here and now, and bring it into sight. */
  follow(id, collectionId) {
    if (!this.#entries.has(id)) this.#show(id, collectionId);
    if (this.#askDue) this.#askSoon(0);
    this.#entries.get(id).card.node.scrollIntoView({ block: "nearest" });
  }

  /** Stop following: somebody signed out. */
  clear() {
    this.#feed?.stop();
    this.#feed = null;
    this.#connection = { state: "live", reason: "" };
    for (const id of [...this.#entries.keys()]) this.#drop(id);
    this.#closed.clear();
    clearTimeout(this.#refreshDue);
    clearTimeout(this.#askDue);
    this.#refreshDue = this.#askDue = 0;
  }

  #show(id, collectionId) {
    // What has ended makes room for what follows it, as with a folder that is watched; the collection's list keeps it.
    for (const [old, { collectionId: its, state: { ended, status } }] of this.#entries) {
      if (its === collectionId && ended && status !== "failed") this.#drop(old);
    }
    const state = new OperationState();
    const titled = () => ({ id: collectionId, name: this.library.get(collectionId)?.name ?? "" });
    const collectionLink = (target) => `#/collections/${encodeURIComponent(target)}`;
    const card = new OperationCard(id, state, { titled, collectionLink, onDismiss: () => this.#drop(id) });
    const known = Boolean(this.library.get(collectionId));
    const entry = { id, state, card, client: null, collectionId, known, pending: false, words: "" };
    card.connection(this.#connection.state, this.#connection.reason);
    this.#entries.set(id, entry);
    this.section.append(card.node);
    if (!known) this.#refresh(0);
    return entry;
  }

  #drop(id) {
    const entry = this.#entries.get(id);
    entry.client?.stop();
    entry.card.node.remove();
    this.#entries.delete(id);
    this.#closed.add(id);
  }

  #onFrame(frame) {
    const { operation_id: id, type, data } = frame;
    // After a loss the server also tells of what ended a while before this page was opened.
    const begins = type === "current_state" && !endOf(frame) && !this.#closed.has(id);
    const entry = this.#entries.get(id) ?? (begins ? this.#show(id, data.collection_id) : null);
    if (entry) this.#take(entry, frame);
  }

  #onConnection(state, reason) {
    const before = this.#connection.state;
    this.#connection = { state, reason };
    if (state === "live") {
      clearTimeout(this.#askDue);
      this.#askDue = 0;
    }
    for (const entry of this.#entries.values()) {
      if (state === "live") this.#alone(entry, false);
      if (!entry.client && !entry.state.ended) entry.card.connection(state, reason);
    }
    if (state === "stopped" || (state === "unreachable" && !this.#askDue)) this.#askSoon(0);
    if (state === "live" && before !== "live") this.#refresh(0); // something may have been missed
  }

  /** Follow an operation by itself, or no more. */
  #alone(entry, wanted) {
    if (wanted === Boolean(entry.client)) return;
    entry.client?.stop();
    entry.client = !wanted ? null : new OperationClient(entry.id, {
      onFrame: (frame) => this.#take(entry, frame),
      onConnection: (state, reason) => entry.card.connection(state, reason),
    });
    entry.client?.start();
  }

  #askSoon(delay) {
    clearTimeout(this.#askDue);
    this.#askDue = setTimeout(() => this.#ask(), delay);
  }

  /** How all operations stand: again and again, until the socket is there; once, when it was refused. */
  async #ask() {
    const feed = this.#feed;
    let items = [];
    try {
      ({ items } = await request("GET", url(["operations"], { limit: 100 })));
    } catch (error) {
      if (this.#askDue && error.status !== 401) this.library.dispatchEvent(new CustomEvent("trouble", { detail: error }));
    }
    if (feed !== this.#feed || !this.#askDue) return;
    const stopped = this.#connection.state === "stopped";
    for (const operation of items) {
      const { id, status } = operation;
      if (this.#entries.get(id)?.state.ended) continue;
      this.#onFrame({ type: "current_state", operation_id: id, data: operation });
      const entry = this.#entries.get(id);
      if (!entry || stopped) continue;
      // One that has ended meanwhile too: its messages tell more than its record.
      if (status === "queued") entry.card.connection("polling");
      else this.#alone(entry, true);
    }
    if (!stopped) this.#askSoon(ASK_MS);
  }

  #take(entry, frame) {
    const before = entry.state.status;
    entry.state.apply(frame);
    if (!entry.pending) {
      entry.pending = true;
      // A timer, not an animation frame: a tab in the background must be right when it is looked at again.
      setTimeout(() => this.#draw(entry), 50);
    }
    if (entry.state.status !== before) this.#refresh(0);
    else if (!entry.state.ended && frame.type !== "presence") this.#refresh(REFRESH_MS);
  }

  #draw(entry) {
    entry.pending = false;
    entry.card.draw();
    const words = `${entry.card.title.textContent}: ${entry.state.words}`;
    if (words === entry.words) return;
    entry.words = words;
    this.announce(entry.state.ended ? `${words}. ${entry.state.counts}` : words);
  }

  /** Read the collections again, in `delay` ms at the latest; frames that come meanwhile share it. */
  #refresh(delay) {
    if (this.#refreshDue && delay) return;
    clearTimeout(this.#refreshDue);
    this.#refreshDue = setTimeout(() => {
      this.#refreshDue = 0;
      this.library.refreshQuietly();
    }, delay);
  }

  #onLibrary() {
    for (const [id, entry] of this.#entries) {
      const found = Boolean(this.library.get(entry.collectionId));
      if (!found && (entry.known || entry.state.ended)) this.#drop(id);
      else entry.card.draw();
      entry.known ||= found;
    }
  }
}
