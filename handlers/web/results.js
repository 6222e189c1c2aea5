// The results of a query: documents with their best passages, and what the server says of the result as a whole.
import { request, url } from "./api.js";
import { errorLine, runGuarded, h } from "./dom.js";
import { FACETS, Facets } from "./facets.js";
import { number, plural } from "./format.js";
import { hitCard } from "./hit.js";
import { searchParameters } from "./search-address.js";

const PAGE = 10;
const SLOW_MS = 1_500;

export class Results {
  #request = new AbortController();

  /** `onClose()` is called when the user closes the results, `onSearch(search)` when another search is chosen. */
  constructor({ collectionStore }, signal, { onClose, onSearch }) {
    this.collectionStore = collectionStore;
    this.onSearch = onSearch;
    this.errors = errorLine();
    this.summary = h("p", { class: "hint", role: "status" });
    this.notes = h("div", { class: "stack tight notes" });
    this.list = h("ol", { class: "hits" });
    this.facets = new Facets((query) => onSearch({ ...this.current, query }));
    this.more = h("button", { type: "button", hidden: true }, "More results");
    this.more.addEventListener("click", () => runGuarded(this.more, this.errors, () => this.#load()));
    const close = h("button", { type: "button", class: "quiet", onclick: onClose }, "Back to the collections");
    this.node = h("section", { class: "stack results", "aria-label": "Search results", hidden: true },
      h("div", { class: "row" }, this.summary, close), this.errors.node, this.notes,
      h("div", { class: "faceted" }, this.facets.node, h("div", { class: "stack" }, this.list, this.more)));
    signal.addEventListener("abort", () => this.#request.abort());
  }

  clear() {
    this.#request.abort();
    this.node.hidden = true;
  }

  /** Search, in place of any earlier query; `search` is described in search-address.js. */
  search(search) {
    this.#request.abort();
    this.#request = new AbortController();
    this.current = search;
    this.body = { query: search.query, k: PAGE, mode: search.mode, correct: !search.exact, group_by: "document" };
    const descending = search.sort.startsWith("-");
    if (search.sort !== "relevance") {
      Object.assign(this.body, { sort: search.sort.replace("-", ""), order: descending ? "descending" : "ascending" });
    }
    if (search.collections.length) this.body.collection_ids = search.collections;
    this.shown = 0;
    this.list.replaceChildren();
    this.notes.replaceChildren();
    this.facets.clear();
    this.more.hidden = true;
    this.node.hidden = false;
    return runGuarded(this.more, this.errors, () => this.#load());
  }

  async #load() {
    const { signal } = this.#request;
    this.summary.textContent = "Searching…";
    const slow = setTimeout(() => this.#explainWait(signal), SLOW_MS);
    try {
      const body = { ...this.body, offset: this.shown, facets: this.shown ? [] : FACETS };
      const answer = await request("POST", url(["search"]), { body, signal, repeatable: true });
      this.#show(answer);
    } catch (error) {
      if (!signal.aborted) this.summary.textContent = "";
      throw error;
    } finally {
      clearTimeout(slow);
    }
  }

  #show(answer) {
    const { hits, took_ms: took, total_considered: considered } = answer;
    if (this.shown === 0) {
      this.notes.replaceChildren(...this.#notes(answer));
      this.facets.show(answer, this.current.query);
    }
    const parameters = searchParameters(this.current);
    this.list.append(...hits.map((hit) => hitCard(hit, parameters)));
    this.shown += hits.length;
    this.more.hidden = hits.length < PAGE;
    const time = `in ${number(Math.max(1, Math.round(took)))} ms`;
    if (this.shown) {
      this.summary.textContent = `${plural(this.shown, "document")}, out of ${plural(considered, "chunk")}, ${time}`;
    } else {
      const busy = this.collectionStore.collections.some((collection) => collection.active_operation_id);
      this.summary.textContent = busy
        ? "Nothing found yet: documents are still being indexed. Search again in a moment."
        : "Nothing found. Try other words, or search in more collections.";
    }
  }

  /** What is to be known of the result as a whole: corrected words, parts that did not answer, weak matches. */
  #notes({ corrections, degraded, relevance, hits }) {
    const notes = [];
    if (corrections.length) {
      const words = corrections.flatMap(({ from, to }, at) => [at ? ", and for " : "", h("b", {}, to), " instead of “", from, "”"]);
      const exact = () => this.onSearch({ ...this.current, exact: true });
      notes.push(h("p", { class: "note" }, "Searched for ", words, ". ",
        h("button", { type: "button", class: "link", onclick: exact }, "Search for exactly what was typed")));
    }
    if (degraded) notes.push(h("p", { class: "note" }, degraded));
    if (relevance === "weak" && hits.length) {
      notes.push(h("p", { class: "note" },
        "No good match: what follows is no better than what an unrelated query finds."));
    }
    return notes;
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
}
