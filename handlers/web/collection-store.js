// The collections as last loaded from the server; views listen for "change". No DOM.
import { all } from "./api.js";

export class CollectionStore extends EventTarget {
  collections = [];
  #latest = 0;
  #newest = null; // the request that counts
  #request = new AbortController();

  get(id) {
    return this.collections.find((collection) => collection.id === id);
  }

  /** Reload all collections. If requests overlap, only the answer to the newest one counts, and all wait for it. */
  refresh() {
    this.#newest = this.#load();
    return this.#newest;
  }

  async #load() {
    const generation = (this.#latest += 1);
    const collections = await all(["collections"], { limit: 250 }, this.#request.signal);
    if (generation !== this.#latest) {
      await this.#newest;
      return;
    }
    this.collections = collections;
    this.dispatchEvent(new Event("change"));
  }

  /** A background refresh: a failure is emitted as "error", and the old state stays. */
  async refreshQuietly() {
    try {
      await this.refresh();
    } catch (error) {
      if (error.name !== "AbortError") this.dispatchEvent(new CustomEvent("error", { detail: error }));
    }
  }

  /** Abort what is being loaded. */
  stop() {
    this.#request.abort();
    this.#request = new AbortController();
  }

  clear() {
    this.stop();
    this.#latest += 1;
    this.#newest = null;
    this.collections = [];
  }
}
