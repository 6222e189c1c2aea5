// The operations that run now, above whatever else the page shows: one client and one card each.
import { request, url } from "./api.js";
import { OperationCard } from "./operation-card.js";
import { OperationClient } from "./operation-client.js";
import { OperationState } from "./operation-state.js";

const REFRESH_MS = 3_000;

export class Activity {
  #watched = new Map();
  #closed = new Set(); // put away by the person: not shown again
  #refreshDue = 0;

  /** `library` knows the collections and is refreshed as operations move; `announce(text)` is read aloud. */
  constructor(section, library, announce) {
    this.section = section;
    this.library = library;
    this.announce = announce;
    library.addEventListener("change", () => this.#onLibrary());
  }

  /** Show the operations that run or wait, whoever started them. */
  async resume() {
    const { items } = await request("GET", url(["operations"], { limit: 100 }));
    for (const { id, status, collection_id: collectionId } of items) {
      if (status === "queued" || status === "processing") this.watch(id, collectionId);
    }
  }

  /** Watch an operation that was asked for here and now, and bring it into sight. */
  follow(id, collectionId) {
    this.watch(id, collectionId);
    this.#watched.get(id)?.card.node.scrollIntoView({ block: "nearest" });
  }

  watch(id, collectionId) {
    if (this.#watched.has(id) || this.#closed.has(id)) return;
    const state = new OperationState();
    const titled = () => ({ id: collectionId, name: this.library.get(collectionId)?.name ?? "" });
    const collectionLink = (target) => `#/collections/${encodeURIComponent(target)}`;
    const card = new OperationCard(id, state, { titled, collectionLink, onDismiss: () => this.#drop(id) });
    const client = new OperationClient(id, {
      onFrame: (frame) => this.#take(entry, frame),
      onConnection: (connection, reason) => {
        entry.stopped = connection === "stopped";
        card.connection(connection, reason);
      },
    });
    const entry = { state, card, client, collectionId, stopped: false, pending: false, words: "" };
    this.#watched.set(id, entry);
    this.section.append(card.node);
    client.start();
  }

  /** Stop watching everything: somebody signed out. */
  clear() {
    for (const id of [...this.#watched.keys()]) this.#drop(id);
    this.#closed.clear();
    clearTimeout(this.#refreshDue);
    this.#refreshDue = 0;
  }

  #drop(id) {
    const entry = this.#watched.get(id);
    entry.client.stop();
    entry.card.node.remove();
    this.#watched.delete(id);
    this.#closed.add(id);
  }

  #take(entry, frame) {
    const before = entry.state.ended;
    entry.state.apply(frame);
    if (!entry.pending) {
      entry.pending = true;
      // A timer, not an animation frame: a tab in the background must be right when it is looked at again.
      setTimeout(() => this.#draw(entry), 50);
    }
    if (entry.state.ended && !before) this.#refresh(0);
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
    for (const collection of this.library.collections) {
      if (collection.active_operation_id) this.watch(collection.active_operation_id, collection.id);
    }
    for (const [id, entry] of this.#watched) {
      const over = entry.state.ended || entry.stopped;
      if (over && !this.library.get(entry.collectionId)) this.#drop(id);
      else entry.card.draw();
    }
  }
}
