// The results of a search: documents with their best passages, and what the server says of the result as a whole.
//
// An older answer stays, dimmed, until the newer one is there. Hits are asked for first and shown; what is counted (the
// filters' numbers) is asked for afterwards, so that nobody waits for it.
import { request, url } from "./api.js";
import { errorLine, runGuarded, h } from "./dom.js";
import { FACETS } from "./facets.js";
import { number, plural } from "./format.js";
import { hitCard } from "./hit.js";
import { EMPTY, queryText, searchParameters } from "./search-address.js";

const PAGE = 10;
const SLOW_MS = 1_500;
const COUNT_AFTER_MS = 200; // without another key

export class Results {
  #request = new AbortController();
  #countTimer;

  /** `onSearch(search)` is called when another search is chosen, `onFacets(answer)` with the counts of a result. */
  constructor({ collectionStore }, signal, { onSearch, onFacets }) {
    this.collectionStore = collectionStore;
    this.onSearch = onSearch;
    this.onFacets = onFacets;
    this.errors = errorLine();
    this.heading = h("h1", { class: "unseen" }, "Search results");
    this.summary = h("p", { class: "hint summary", role: "status" });
    this.notes = h("div", { class: "stack tight notes" });
    this.list = h("ol", { class: "hits" });
    this.more = h("button", { type: "button", hidden: true }, "More results");
    this.more.addEventListener("click", () => runGuarded(this.more, this.errors, () => this.#load()));
    this.node = h("section", { class: "stack results", "aria-label": "Search results", hidden: true },
      this.heading, this.summary, this.errors.node, this.notes, this.list, this.more);
    signal.addEventListener("abort", () => this.#abort());
  }

  /** What was loaded, to be shown again by `restore`. */
  get saved() {
    return { search: this.current, answers: this.answers, counted: this.counted };
  }

  /** Whether the search that is shown has found nothing. */
  get vain() {
    return this.answers?.length > 0 && this.#shown === 0;
  }

  clear() {
    this.#abort();
    this.current = null;
    this.answers = [];
    this.counted = null;
    this.node.hidden = true;
  }

  /** The answer that is shown is no longer that of what is typed. */
  dim() {
    this.list.setAttribute("aria-busy", "true");
    this.node.classList.add("stale");
  }

  /** Search, in place of any earlier query; `search` is described in search-address.js. */
  search(search) {
    this.#abort();
    this.#request = new AbortController();
    this.current = search;
    this.pending = true;
    this.answers = [];
    this.counted = null;
    this.node.hidden = false;
    this.dim();
    return runGuarded(this.more, this.errors, () => this.#load());
  }

  /** Show a result that was loaded before, without asking again. */
  restore({ search, answers, counted }) {
    this.current = search;
    this.answers = [];
    this.node.hidden = false;
    for (const answer of answers) this.#show(answer);
    this.counted = counted;
    if (counted) this.#showCounts();
    else this.#countSoon();
  }

  #abort() {
    clearTimeout(this.#countTimer);
    this.#request.abort();
  }

  get #shown() {
    return this.answers.reduce((sum, { hits }) => sum + hits.length, 0);
  }

  #body() {
    const { mode, exact, sort, collections } = this.current;
    const body = { query: queryText(this.current), k: PAGE, mode, correct: !exact, group_by: "document" };
    if (sort !== "relevance") {
      Object.assign(body, { sort: sort.replace("-", ""), order: sort.startsWith("-") ? "descending" : "ascending" });
    }
    if (collections.length) body.collection_ids = collections;
    return body;
  }

  #ask(signal) {
    const { like } = this.current;
    if (like) {
      const path = ["collections", like.collection, "documents", like.document, "chunks", like.seq, "similar"];
      return request("GET", url(path, { k: PAGE, offset: this.#shown, group_by: "document" }), { signal });
    }
    return request("POST", url(["search"]), { body: { ...this.#body(), offset: this.#shown }, signal, repeatable: true });
  }

  async #load() {
    const { signal } = this.#request;
    const before = this.summary.textContent;
    this.summary.textContent = "Searching…";
    const slow = setTimeout(() => this.#explainWait(signal), SLOW_MS);
    try {
      const answer = await this.#ask(signal);
      if (signal.aborted) return;
      this.#show(answer);
      if (!this.counted) this.#countSoon();
    } catch (error) {
      if (!signal.aborted) {
        this.summary.textContent = this.pending ? "" : before;
        if (this.pending) { // what was shown is no answer to this search
          this.#fresh();
          this.#entitle();
          this.onFacets(null);
        }
        if (error.status === 404 && await this.#missCollections(signal)) return;
      }
      throw error;
    } finally {
      clearTimeout(slow);
    }
  }

  /** An empty, undimmed list for the first hits of a search. */
  #fresh() {
    this.pending = false;
    this.list.replaceChildren();
    this.notes.replaceChildren();
    this.more.hidden = true;
    this.list.removeAttribute("aria-busy");
    this.node.classList.remove("stale");
  }

  #entitle() {
    const { like, query } = this.current;
    this.heading.textContent = like ? `More like a passage of “${like.name}”` : `Results for “${query || "all documents"}”`;
    this.heading.className = like ? "" : "unseen";
  }

  /** Whether a collection of the search is gone; then it says so, and offers the search without it. */
  async #missCollections(signal) {
    const { current, collectionStore } = this;
    await collectionStore.refreshQuietly();
    const left = current.collections.filter((id) => collectionStore.get(id));
    if (signal.aborted || left.length === current.collections.length) return signal.aborted;
    this.notes.replaceChildren(h("div", { class: "nothing" },
      h("p", { class: "nothing-title" }, "A collection of this search is not there any more."),
      h("p", { class: "hint" }, "It was deleted, or is no longer shared with you."),
      h("div", { class: "ways" }, h("button", { type: "button", onclick: () => this.onSearch({ ...current, collections: left }) },
        left.length ? "Search in the others" : "Search in all collections"))));
    return true;
  }

  #show(answer) {
    const { hits } = answer;
    if (!this.answers.length) {
      this.#fresh();
      this.#entitle();
      this.notes.replaceChildren(...this.#notes(answer));
    }
    this.answers.push(answer);
    const parameters = searchParameters(this.current);
    this.list.append(...hits.map((hit) => hitCard(hit, this.current.like ? [] : parameters)));
    this.more.hidden = hits.length < PAGE;
    this.#summarise();
  }

  #summarise() {
    const [{ took_ms: took }] = this.answers;
    const time = `in ${number(Math.max(1, Math.round(took)))} ms`;
    const shown = this.#shown;
    if (!shown) {
      this.summary.textContent = "Nothing found.";
      return;
    }
    const all = this.counted?.matched;
    const found = all && all.documents >= shown
      ? `${plural(shown, "document")} of ${all.complete ? "" : "more than "}${number(all.documents)}`
      : `${plural(shown, "document")}${this.more.hidden ? "" : ", and more"}`;
    this.summary.textContent = all && all.complete && all.documents === shown ? `${plural(shown, "document")}, ${time}` : `${found}, ${time}`;
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
    if (relevance === "weak" && hits.length && !this.current.like) {
      notes.push(h("p", { class: "note" }, h("b", {}, "Nothing fits this well. "),
        "What follows is no better than what an unrelated query finds. Other words may help."));
    }
    if (hits.length) notes.push(this.#unread());
    else notes.push(this.#nothing());
    return notes.filter(Boolean);
  }

  /** That the answer is of what has been read so far, while documents wait to be read. */
  #unread() {
    const { collections } = this.current;
    const waiting = this.collectionStore.collections
      .filter(({ id, active_operation_id: active }) => active && (!collections.length || collections.includes(id)))
      .reduce((sum, { pending_count: count }) => sum + count, 0);
    if (!waiting || this.current.like) return null;
    const again = () => this.onSearch({ ...this.current });
    return h("p", { class: "note" }, `${plural(waiting, "document")} not read yet: there may be more to find. `,
      h("button", { type: "button", class: "link", onclick: again }, "Search again"));
  }

  /** What to do when nothing was found. */
  #nothing() {
    const { current } = this;
    const busy = this.collectionStore.collections.some((collection) => collection.active_operation_id);
    const ways = [];
    const way = (text, search) => ways.push(h("button", { type: "button", onclick: () => this.onSearch(search) }, text));
    if (Object.keys(current.filters).length && current.query) way("Search without the filters", { ...current, filters: {} });
    if (current.collections.length) way("Search in all collections", { ...current, collections: [] });
    if (current.mode === "words") way("Search by meaning, too", { ...current, mode: EMPTY.mode });
    return h("div", { class: "nothing" },
      h("p", { class: "nothing-title", dir: "auto" }, current.like ? "No other passage is like this one."
        : current.query ? `Nothing was found for “${current.query}”.` : "No document fits these filters."),
      h("p", { class: "hint" }, busy ? "Documents are still being indexed: this page searches again as they come."
        : "Try other words: a question in your own words works as well as a name or a number."),
      ways.length ? h("div", { class: "ways" }, ways) : null);
  }

  #countSoon() {
    if (this.current.like) return;
    const { signal } = this.#request;
    this.#countTimer = setTimeout(async () => {
      try {
        const counted = await request("POST", url(["search"]), {
          body: { ...this.#body(), k: 1, facets: FACETS, facet_values: 40 }, signal, repeatable: true,
        });
        if (signal.aborted) return;
        this.counted = counted;
        this.#showCounts();
      } catch (error) {
        if (error.name !== "AbortError") this.errors.show(error);
      }
    }, COUNT_AFTER_MS);
  }

  #showCounts() {
    this.onFacets(this.counted);
    this.#summarise();
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
