// The results of a query: documents, each with its best chunks, their positions, and links to them.
import { request, url } from "./api.js";
import { errorLine, runGuarded, h } from "./dom.js";
import { folderOf, number, plural } from "./format.js";
import { highlightRanges } from "./highlight.js";

const PAGE = 10;
const SLOW_MS = 1_500;
const RELEVANCE = {
  strong: ["Good match", "Much better than what a query about something else would find"],
  fair: ["Fair match", "Better than what a query about something else would find"],
  weak: ["Weak match", "No better than what a query about something else would find"],
};

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
    this.notes = h("div", { class: "notes", "aria-live": "polite" });
    this.list = h("ol", { class: "hits" });
    this.more = h("button", { type: "button", hidden: true }, "More results");
    this.more.addEventListener("click", () => runGuarded(this.more, this.errors, () => this.#load()));
    const close = h("button", { type: "button", class: "quiet", onclick: onClose }, "Back to the collections");
    this.node = h("section", { class: "stack results", "aria-label": "Search results", hidden: true },
      h("div", { class: "row" }, this.summary, close), this.errors.node, this.notes, this.list, this.more);
    signal.addEventListener("abort", () => this.#request.abort());
  }

  clear() {
    this.#request.abort();
    this.node.hidden = true;
  }

  /** Search, in place of any earlier query; an empty list of ids means every collection. `mode` is that of the API. */
  search(query, collectionIds, mode) {
    this.#request.abort();
    this.#request = new AbortController();
    this.query = query;
    this.body = { query, k: PAGE, mode, group_by: "document", ...(collectionIds.length ? { collection_ids: collectionIds } : {}) };
    this.shown = 0;
    this.list.replaceChildren();
    this.notes.replaceChildren();
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

  #show({ hits, took_ms: took, total_considered: considered, ...answer }) {
    const first = this.shown === 0;
    if (first) this.notes.replaceChildren(...notesOf(answer));
    this.list.append(...hits.map((hit) => this.#hit(hit)));
    this.shown += hits.length;
    this.more.hidden = hits.length < PAGE;
    const time = `in ${number(Math.max(1, Math.round(took)))} ms`;
    if (this.shown) {
      this.summary.textContent = `The best ${plural(this.shown, "document")}, of ${plural(considered, "chunk")}, ${time}`;
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
    const [label, meaning] = RELEVANCE[hit.relevance] ?? [];
    const scores = Object.entries(hit.scores).filter(([, value]) => value !== null);
    const title = scores.map(([name, value]) => `${name} ${value.toFixed(3)}`).join(" · ");
    return h("li", { class: `card hit ${hit.relevance ?? ""}` },
      h("div", { class: "row" },
        h("h2", {}, doc.title && doc.title !== doc.name ? [h("span", {}, doc.title), " "] : null, h("span", {}, doc.name)),
        label ? h("span", { class: `tag relevance ${hit.relevance}`, title: meaning }, label) : null,
        h("span", { class: "score", title }, hit.scores.fused.toFixed(2))),
      this.#chunk(hit, "Show in document"),
      hit.more.length ? h("details", { class: "more" }, h("summary", {}, `${hit.more.length} more in this document`),
        hit.more.map((more) => this.#chunk(more, "Show"))) : null,
      h("p", { class: "row foot" }, h("span", { class: "folder", title: doc.path }, folderOf(doc)),
        h("span", { class: "tag" }, collection.name)));
  }

  #chunk(hit, link) {
    const position = [pageText(hit), hit.heading ?? "", hit.recognised ? "recognised text" : ""].filter(Boolean).join(" · ");
    const copies = hit.also_in.map((copy) => [", ", h("a", { href: this.#address(copy) }, copy.document.name)]);
    return h("div", { class: "found" },
      h("p", { class: "place" }, position ? h("span", {}, position) : null,
        h("a", { href: this.#address(hit) }, link)),
      h("p", { class: "chunk" }, highlightRanges(hit.passage, hit.highlights, hit.best_sentence)),
      copies.length ? h("p", { class: "hint also" }, "Also in ", copies.flat().slice(1)) : null);
  }

  #address({ document: doc, collection, start, end }) {
    const query = new URLSearchParams({ start, end, q: this.query });
    for (const id of this.body.collection_ids ?? []) query.append("in", id);
    if (this.body.mode !== "hybrid") query.set("mode", this.body.mode);
    const path = ["collections", collection.id, "documents", doc.id].map(encodeURIComponent).join("/");
    return `#/${path}?${query}`;
  }
}

/** What is to be said of a result before its hits. */
function notesOf({ corrections, degraded, relevance }) {
  const notes = [];
  if (corrections?.length) {
    const words = corrections.map(({ word, instead }) => `${instead} instead of ${word}`).join(", ");
    notes.push(h("p", { class: "note" }, `Searched for ${words}.`));
  }
  if (degraded) notes.push(h("p", { class: "note" }, degraded));
  if (relevance === "weak") {
    notes.push(h("p", { class: "note" }, "Nothing fits well. These are the nearest, but no better than chance."));
  }
  return notes;
}
