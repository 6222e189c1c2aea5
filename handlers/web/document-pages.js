// Pages of a list of documents, fetched as they come into sight. What is refreshed in the background replaces the old when
// it has come; no request of the reader is broken off for it. No DOM.
import { request, url } from "./api.js";

const PAGE = 100;
const KEPT = 40; // pages in memory
const CHANGING_MS = 1_500;
const MOST_ORDERED = 500_000; // documents of a collection: the server lists larger ones by path alone, page after page

/** Whether the documents of a collection are too many to be sorted, counted, and entered anywhere. */
export function isTooLarge(collection) {
  if (!collection) return false;
  const { document_count: indexed, pending_count: pending, failed_count: failed, skipped_count: skipped } = collection;
  return indexed + pending + failed + skipped > MOST_ORDERED;
}

export class DocumentPages extends EventTarget {
  #pages = new Map(); // number: {items, stale}
  #asked = new Map(); // number: {controller, answered} of its request
  #cursors = []; // of each page, where only they lead on
  #generation = 0;
  #visible = [0, 0];
  #timer = 0;
  total = null;

  /** `byPath()`: whether the server lists by path alone; `total` then grows with what is seen. */
  constructor(collectionId, byPath, signal) {
    super();
    this.byPath = byPath;
    this.collectionId = collectionId;
    this.query = {};
    this.signal = signal;
    signal.addEventListener("abort", () => this.#forget());
  }

  /** Another list: the answers to earlier requests do not count any more. */
  show(query) {
    this.#forget();
    this.query = query;
    this.total = null;
    this.#visible = [0, 1];
    this.#fetch(0);
  }

  item(place) {
    return this.#pages.get(Math.floor(place / PAGE))?.items[place % PAGE] ?? null;
  }

  /** These rows are in sight, `end` not among them. */
  see(first, end) {
    this.#visible = [first, end];
    for (const page of this.#inSight()) if (!this.#pages.has(page)) this.#fetch(page);
    this.#drop();
  }

  /** Something has changed: read anew what is in sight; other pages when they come into sight. */
  refresh() {
    const inSight = new Set(this.#inSight());
    for (const page of [...this.#pages.keys()]) if (!inSight.has(page)) this.#pages.delete(page);
    for (const page of inSight) if (!this.#asked.has(page)) this.#fetch(page);
  }

  /** The place of the first document whose name begins with `text`, or contains it; null where there is none. */
  async find(text) {
    const answer = await this.#request({ sort: "path", ...this.query, at: text, limit: 1 });
    return answer.found ? answer.offset : null;
  }

  /** The documents at these places, inclusive; those that were not seen yet are fetched. */
  async range(from, to) {
    const found = [];
    for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page += 1) {
      if (!this.#pages.has(page)) await (this.#asked.get(page)?.answered ?? this.#fetch(page));
      const start = page * PAGE;
      found.push(...(this.#pages.get(page)?.items ?? []).filter((_, index) => start + index >= from && start + index <= to));
    }
    return found;
  }

  #inSight() {
    const [first, end] = this.#visible;
    const found = [];
    for (let page = Math.floor(first / PAGE); page * PAGE < Math.max(end, 1); page += 1) found.push(page);
    return found;
  }

  async #fetch(page) {
    if (this.#asked.has(page) || this.signal.aborted) return;
    const controller = new AbortController();
    const answered = this.#answer(page, controller);
    this.#asked.set(page, { controller, answered });
    await answered;
  }

  async #answer(page, controller) {
    const generation = this.#generation;
    try {
      const answer = this.byPath() ? await this.#next(page, controller.signal)
        : await this.#request({ sort: "path", ...this.query, offset: page * PAGE, limit: PAGE }, controller.signal);
      if (generation !== this.#generation) return;
      this.#pages.set(page, { items: answer.items });
      this.total = answer.total;
      this.dispatchEvent(new Event("change"));
      if (answer.changing) this.#again();
    } catch (error) {
      if (generation === this.#generation && error.name !== "AbortError") this.dispatchEvent(new CustomEvent("error", { detail: error }));
    } finally {
      if (generation === this.#generation) this.#asked.delete(page);
    }
  }

  #request(query, signal) {
    return request("GET", url(["collections", this.collectionId, "documents"], query), { signal });
  }

  /** A page by the cursor that the one before it has given. */
  async #next(page, signal) {
    if (page > 0 && !this.#cursors[page]) await (this.#asked.get(page - 1)?.answered ?? this.#fetch(page - 1));
    const { sort: _sort, order: _order, ...filters } = this.query;
    const answer = await this.#request({ ...filters, cursor: this.#cursors[page], limit: PAGE }, signal);
    const { items, next_cursor: cursor } = answer;
    this.#cursors[page + 1] = cursor;
    const end = page * PAGE + items.length;
    return { items, changing: false, total: cursor ? Math.max(this.total ?? 0, end + PAGE) : end };
  }

  /** The order is being made anew on the server: look again in a moment. */
  #again() {
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.refresh();
    }, CHANGING_MS);
  }

  #drop() {
    const [first] = this.#visible;
    const here = Math.floor(first / PAGE);
    if (this.#pages.size <= KEPT) return;
    const far = [...this.#pages.keys()].sort((a, b) => Math.abs(b - here) - Math.abs(a - here));
    for (const page of far.slice(0, this.#pages.size - KEPT)) this.#pages.delete(page);
  }

  #forget() {
    this.#generation += 1;
    clearTimeout(this.#timer);
    this.#timer = 0;
    for (const { controller } of this.#asked.values()) controller.abort();
    this.#asked.clear();
    this.#pages.clear();
    this.#cursors = [];
  }
}
