// The passages found for a question, each with its score, its place and a way into its document.
import { request, url } from "./api.js";
import { errorLine, guarded, h } from "./dom.js";
import { number, plural, splitPath } from "./format.js";
import { marked, wordsOf } from "./highlight.js";

const PAGE = 10;
const SLOW_MS = 1_500;

export class Results {
  #asked = new AbortController();

  /** `onClose()` is called when the person goes back from the passages. */
  constructor({ library }, signal, onClose) {
    this.library = library;
    this.viewSignal = signal;
    this.errors = errorLine();
    this.summary = h("p", { class: "hint", role: "status" });
    this.list = h("ol", { class: "hits" });
    this.more = h("button", { type: "button", hidden: true }, "More passages");
    this.more.addEventListener("click", () => guarded(this.more, this.errors, () => this.#load()));
    const close = h("button", { type: "button", class: "quiet", onclick: onClose }, "Back to the collections");
    this.node = h("section", { class: "stack results", "aria-label": "Search results", hidden: true },
      h("div", { class: "row" }, this.summary, close), this.errors.node, this.list, this.more);
    signal.addEventListener("abort", () => this.#asked.abort());
  }

  clear() {
    this.#asked.abort();
    this.node.hidden = true;
  }

  /** Ask, in the place of any question before; an empty list of ids means every collection. */
  ask(question, collectionIds) {
    this.#asked.abort();
    this.#asked = new AbortController();
    this.question = question;
    this.words = wordsOf(question);
    this.body = { query: question, k: PAGE, ...(collectionIds.length ? { collection_ids: collectionIds } : {}) };
    this.shown = 0;
    this.list.replaceChildren();
    this.more.hidden = true;
    this.node.hidden = false;
    return guarded(this.more, this.errors, () => this.#load());
  }

  async #load() {
    const { signal } = this.#asked;
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
      this.summary.textContent = `The ${plural(this.shown, "nearest passage")} of ${number(considered)}, ${time}`;
    } else if (first) {
      const busy = this.library.collections.some((collection) => collection.active_operation_id);
      this.summary.textContent = busy
        ? "Nothing found yet: documents are still being indexed. Ask again in a moment."
        : "Nothing found. Try other words, or search in more collections.";
    }
  }

  async #explainWait(signal) {
    let words = "Still searching…";
    try {
      const health = await request("GET", url(["health"]), { signal });
      if (health.pool === "loading") words = "The model is still loading; your question waits for it…";
    } catch (error) {
      if (signal.aborted) return;
      words = `Still searching… (${error.message})`;
    }
    if (!signal.aborted && this.summary.textContent === "Searching…") this.summary.textContent = words;
  }

  #hit(hit) {
    const { document: doc, collection } = hit;
    const query = new URLSearchParams({ start: hit.start, end: hit.end, q: this.question });
    for (const id of this.body.collection_ids ?? []) query.append("in", id);
    const path = ["collections", collection.id, "documents", doc.id].map(encodeURIComponent).join("/");
    const { folder } = splitPath(doc.path);
    const place = [hit.page ? `page ${hit.page}` : "", hit.heading ?? ""].filter(Boolean).join(" · ");
    return h("li", { class: "card hit" },
      h("div", { class: "row" },
        h("h2", {}, doc.title && doc.title !== doc.name ? [h("span", {}, doc.title), " "] : null, h("span", {}, doc.name)),
        h("span", { class: "score", title: "Cosine similarity, from -1 to 1" }, hit.score.toFixed(3))),
      h("p", { class: "place" }, place ? h("span", {}, place) : null, h("span", { class: "tag" }, collection.name)),
      h("p", { class: "passage" }, marked(hit.passage.replace(/\n\s*\n/g, "\n").trim(), this.words)),
      h("p", { class: "row foot" }, h("span", { class: "folder", title: doc.path }, folder),
        h("a", { href: `#/${path}?${query}` }, "Show in document")));
  }
}
