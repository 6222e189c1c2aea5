// The results of a query: chunks, each with its score, its position and a link to its document.
import { request, url } from "./api.js";
import { errorLine, runGuarded, h } from "./dom.js";
import { folderOf, number, plural } from "./format.js";
import { highlight, queryPattern } from "./highlight.js";

const PAGE = 10;
const SLOW_MS = 1_500;

/** "page 3", or "page iii (3)" where the page has another label than its number. */
function pageText({ page, page_label: label }) {
  if (!page) return "";
  return label ? `page ${label} (${page})` : `page ${page}`;
}

export class Results {
  #request = new AbortController();

  /** `onClose()` is called when the user closes the results. */
  constructor({ collectionStore }, signal, onClose) {
    this.collectionStore = collectionStore;
    this.viewSignal = signal;
    this.errors = errorLine();
    this.summary = h("p", { class: "hint", role: "status" });
    this.list = h("ol", { class: "hits" });
    this.more = h("button", { type: "button", hidden: true }, "More results");
    this.more.addEventListener("click", () => runGuarded(this.more, this.errors, () => this.#load()));
    const close = h("button", { type: "button", class: "quiet", onclick: onClose }, "Back to the collections");
    this.node = h("section", { class: "stack results", "aria-label": "Search results", hidden: true },
      h("div", { class: "row" }, this.summary, close), this.errors.node, this.list, this.more);
    signal.addEventListener("abort", () => this.#request.abort());
  }

  clear() {
    this.#request.abort();
    this.node.hidden = true;
  }

  /** Search, in place of any earlier query; an empty list of ids means every collection. */
  search(query, collectionIds) {
    this.#request.abort();
    this.#request = new AbortController();
    this.query = query;
    this.pattern = queryPattern(query);
    this.body = { query, k: PAGE, ...(collectionIds.length ? { collection_ids: collectionIds } : {}) };
    this.shown = 0;
    this.list.replaceChildren();
    this.more.hidden = true;
    this.node.hidden = false;
    return runGuarded(this.more, this.errors, () => this.#load());
  }

  async #load() {
    const { signal } = this.#request;
    this.summary.textContent = "Searching…";
    const slow = setTimeout(() => this.#explainWait(signal), SLOW_MS);
    try {
      const body = { ...this.body, offset: this.shown };
      const answer = await request("POST", url(["search"]), { body, signal, repeatable: true });
      this.#show(answer);
    } catch (error) {
      if (!signal.aborted) this.summary.textContent = "";
      throw error;
    } finally {
      clearTimeout(slow);
    }
  }

  #show({ hits, took_ms: took, total_considered: considered }) {
    const first = this.shown === 0;
    this.list.append(...hits.map((hit) => this.#hit(hit)));
    this.shown += hits.length;
    this.more.hidden = hits.length < PAGE;
    const time = `in ${number(Math.max(1, Math.round(took)))} ms`;
    if (this.shown) {
      this.summary.textContent = `The ${plural(this.shown, "nearest chunk")} of ${number(considered)}, ${time}`;
    } else if (first) {
      const busy = this.collectionStore.collections.some((collection) => collection.active_operation_id);
      this.summary.textContent = busy
        ? "Nothing found yet: documents are still being indexed. Search again in a moment."
        : "Nothing found. Try other words, or search in more collections.";
    }
  }

  async #explainWait(signal) {
    let text = "Still searching…";
    try {
      const health = await request("GET", url(["health"]), { signal });
      if (health.pool === "loading") text = "The model is still loading; your query waits for it…";
    } catch (error) {
      if (signal.aborted) return;
      text = `Still searching… (${error.message})`;
    }
    if (!signal.aborted && this.summary.textContent === "Searching…") this.summary.textContent = text;
  }

  #hit(hit) {
    const { document: doc, collection } = hit;
    const query = new URLSearchParams({ start: hit.start, end: hit.end, q: this.query });
    for (const id of this.body.collection_ids ?? []) query.append("in", id);
    const path = ["collections", collection.id, "documents", doc.id].map(encodeURIComponent).join("/");
    const folder = folderOf(doc);
    const recognised = hit.recognised ? "recognised text" : "";
    const position = [pageText(hit), hit.heading ?? "", recognised].filter(Boolean).join(" · ");
    return h("li", { class: "card hit" },
      h("div", { class: "row" },
        h("h2", {}, doc.title && doc.title !== doc.name ? [h("span", {}, doc.title), " "] : null, h("span", {}, doc.name)),
        h("span", { class: "score", title: "Cosine similarity, from -1 to 1" }, hit.score.toFixed(3))),
      h("p", { class: "place" }, position ? h("span", {}, position) : null, h("span", { class: "tag" }, collection.name)),
      h("p", { class: "chunk" }, highlight(hit.passage.replace(/\n\s*\n/g, "\n").trim(), this.pattern)),
      h("p", { class: "row foot" }, h("span", { class: "folder", title: doc.path }, folder),
        h("a", { href: `#/${path}?${query}` }, "Show in document")));
  }
}
