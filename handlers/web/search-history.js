// The searches that a user made before. They stay in this browser, for each user apart, and can be cleared.

const MOST = 20;

export class SearchHistory {
  constructor(user) {
    this.key = `semantik.searches.${user.id}`;
  }

  /** The queries, the latest first. */
  get queries() {
    try {
      const stored = JSON.parse(localStorage.getItem(this.key) ?? "[]");
      return Array.isArray(stored) ? stored.filter((each) => typeof each === "string") : [];
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof DOMException) return []; // not ours, or storage is switched off
      throw error;
    }
  }

  add(query) {
    if (!query) return;
    this.#store([query, ...this.queries.filter((each) => each !== query)].slice(0, MOST));
  }

  clear() {
    this.#store([]);
  }

  #store(queries) {
    try {
      if (queries.length) localStorage.setItem(this.key, JSON.stringify(queries));
      else localStorage.removeItem(this.key);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // storage is full or switched off: nothing is remembered
    }
  }
}
