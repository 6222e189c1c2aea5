// The collections as the server last told them; views listen for "change". No DOM.
import { all } from "./api.js";

export class Library extends EventTarget {
  collections = [];
  #latest = 0;

  get(id) {
    return this.collections.find((collection) => collection.id === id);
  }

  /** Read them all again. Of answers that overtake each other only the newest question's counts. */
  async refresh() {
    const asked = (this.#latest += 1);
    const collections = await all(["collections"], { limit: 100 });
    if (asked !== this.#latest) return;
    this.collections = collections;
    this.dispatchEvent(new Event("change"));
  }

  /** A refresh that nobody asked for: what it meets is told with "trouble", and the old state stays. */
  async refreshQuietly() {
    try {
      await this.refresh();
    } catch (error) {
      this.dispatchEvent(new CustomEvent("trouble", { detail: error }));
    }
  }

  clear() {
    this.#latest += 1;
    this.collections = [];
  }
}
