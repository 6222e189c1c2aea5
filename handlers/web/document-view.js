// A document: the passage that was found in its text, its original beside it, what is known of it, and the way on.
import { request, url } from "./api.js";
import { copyButton } from "./clipboard.js";
import { citation, deepLink, originalUrl } from "./passage-address.js";
import { documentFacts, emptyText } from "./document-facts.js";
import { originalKind, originalPane } from "./document-original.js";
import { passageSteps, passagesOf } from "./document-passages.js";
import { DocumentText, headingsOf } from "./document-text.js";
import { errorLine, h, runGuarded } from "./dom.js";
import { likeAddress } from "./hit.js";
import { arrowKeys, menu } from "./menu.js";
import { searchAddress, searchFrom } from "./search-address.js";
import { searchKeys } from "./search-shortcut.js";
import { tagList } from "./tags.js";

const OUTLINE_CHARACTERS = 1_000_000;
const ATTACHMENT = /^Attachment: /;
const PANES = [["text", "Text"], ["original", "Original"]];

/** The passage of an address: its range, and what a hit had beside it. */
function passageFrom(query) {
  if (!query.has("start")) return null;
  const value = (name) => (query.has(name) ? Number(query.get(name)) : null);
  return { start: value("start"), end: value("end"), page: value("page"), seq: value("seq"), page_label: null, heading: null, best_sentence: null };
}

export function documentView(app, [collectionId, documentId], query, signal) {
  return new DocumentView(app, collectionId, documentId, query, signal);
}

class DocumentView {
  constructor({ collectionStore, setTitle }, collectionId, documentId, query, signal) {
    this.title = "Document";
    this.setTitle = setTitle;
    this.signal = signal;
    this.parts = ["collections", collectionId, "documents", documentId];
    this.collection = collectionStore.get(collectionId) ?? { id: collectionId, name: "The collection", access: "read" };
    this.query = query;
    this.search = searchFrom(query);
    this.hit = passageFrom(query);
    this.errors = errorLine();
    this.text = new DocumentText(this.parts, query.getAll("word").join(" ") || this.search.query, this.errors, signal);
    this.#build();
    runGuarded(this.text.later, this.errors, () => this.#open()).then(() => {
      if (this.errors.node.hidden || this.doc) return;
      this.heading.textContent = "This document cannot be shown";
      this.text.text.removeAttribute("aria-busy");
    });
  }

  #build() {
    const back = this.query.has("q") || Object.keys(this.search.filters).length
      ? h("a", { href: searchAddress(this.search) }, "← Back to the results")
      : h("a", { href: `#/collections/${encodeURIComponent(this.collection.id)}` }, `← ${this.collection.name}`);
    this.heading = h("h1", { dir: "auto" }, "Loading…");
    this.facts = h("div", { class: "stack tight" });
    this.tags = h("div");
    this.tools = h("div", { class: "document-tools" });
    this.steps = passageSteps((hit) => this.#select(hit));
    this.outline = menu("Outline", h("ul", { class: "values outline-list" }), { class: "filter" }, { className: "outline" });
    this.outline.node.hidden = true;
    arrowKeys(this.outline.node, "summary, .values button");
    this.tabs = h("div", { class: "tabs", role: "group", "aria-label": "What is shown", hidden: true }, PANES.map(([name, text]) =>
      h("button", { type: "button", class: "filter", "aria-pressed": String(name === "text"), "data-pane": name, onclick: () => this.#tab(name) }, text)));
    this.panes = h("div", { class: "panes", "data-shown": "text" }, this.text.node);
    this.node = h("article", { class: "stack document" }, h("p", { class: "back" }, back), this.heading, this.facts, this.tags,
      h("div", { class: "document-bar" }, this.tabs, this.steps.node, this.outline.node, h("span", { class: "grow" }), this.tools),
      this.errors.node, this.panes);
    searchKeys(() => { location.hash = searchAddress(this.search); }, { signal: this.signal });
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select, dialog")) return;
      const change = { j: 1, k: -1 }[event.key];
      if (change) this.steps.go(change);
    }, { signal: this.signal });
  }

  async #open() {
    const doc = await request("GET", url(this.parts), { signal: this.signal });
    this.doc = doc;
    this.heading.textContent = doc.title || doc.name;
    this.setTitle(doc.name);
    this.tags.replaceChildren(tagList(doc, this.parts, this.collection.access !== "read", this.signal));
    this.#drawTools();
    this.facts.replaceChildren(...documentFacts(doc));
    if (originalKind(doc)) this.#addOriginal();
    await this.#showText(doc);
    this.facts.replaceChildren(...documentFacts(doc, this.text.length));
    if (!this.text.length) return;
    await Promise.all([this.#findOutline(), this.#findPassages()]);
  }

  async #showText(doc) {
    const passage = await this.text.show(this.hit, doc.mime);
    if (passage === null) return;
    this.passage = passage;
    if (!this.text.length) this.text.showNothing(doc.error?.message ?? emptyText(doc));
    if (this.hit?.page) this.original?.show({ page: this.hit.page, text: this.passage });
  }

  #addOriginal() {
    this.original = originalPane(this.collection.id, this.doc, this.signal, {
      onOutline: (entries) => this.#drawOutline(entries, ({ page }) => {
        this.#tab("original");
        this.original.goTo(page);
      }),
      onError: (error) => {
        this.errors.show(error);
        this.tabs.hidden = true;
        this.#tab("text");
        this.node.classList.remove("split");
      },
    });
    this.tabs.hidden = false;
    this.node.classList.add("split");
    this.panes.append(this.original.node);
  }

  /** On a narrow screen one pane is shown at a time. */
  #tab(name) {
    this.panes.dataset.shown = name;
    for (const button of this.tabs.children) button.setAttribute("aria-pressed", String(button.dataset.pane === name));
  }

  #drawTools() {
    const { doc, collection } = this;
    const hit = () => ({ ...this.hit, document: doc, collection, passage: this.passage });
    const like = Number.isInteger(this.hit?.seq) ? h("a", { class: "button filter", href: likeAddress(hit()) }, "More like this passage") : null;
    const file = doc.container_id ? "Save the file that holds it" : "Save the file";
    this.tools.replaceChildren(...[
      like,
      this.hit ? copyButton("Copy citation", () => citation(hit()), "filter") : null,
      this.hit ? copyButton("Copy link", () => deepLink(hit()), "filter") : null,
      doc.container_id ? null : h("a", { class: "button filter", href: originalUrl(collection.id, doc), target: "_blank", rel: "noopener" }, "Open the file"),
      h("a", { class: "button filter", href: originalUrl(collection.id, doc, { download: true }) }, file),
    ].filter(Boolean));
  }

  async #findPassages() {
    if (!this.search.query) return;
    this.steps.set(await passagesOf(this.search, this.collection.id, this.doc, this.signal), this.hit);
  }

  /** Another passage of the same document: the address follows, the original stays loaded. */
  #select(hit) {
    this.hit = { ...hit };
    const parameters = new URLSearchParams(this.query);
    for (const name of ["start", "end", "seq", "page"]) {
      if (hit[name] === null) parameters.delete(name);
      else parameters.set(name, hit[name]);
    }
    this.query = parameters;
    history.replaceState(history.state, "", `${location.hash.split("?")[0]}?${parameters}`);
    this.#drawTools();
    return runGuarded(this.text.later, this.errors, () => this.#showText(this.doc));
  }

  async #findOutline() {
    const headings = headingsOf(await this.text.whole(OUTLINE_CHARACTERS));
    const attachments = headings.filter(({ title }) => ATTACHMENT.test(title));
    if (this.doc.mime === "message/rfc822" && attachments.length) this.#drawAttachments(attachments);
    if (headings.length < 2 || !this.outline.node.hidden) return; // that of the PDF itself is better
    this.#drawOutline(headings, ({ start, end }) => runGuarded(this.text.later, this.errors, async () => {
      this.#tab("text");
      await this.text.show({ start, end }, this.doc.mime);
    }));
  }

  #drawAttachments(attachments) {
    this.facts.append(h("p", { class: "hint attachments" }, attachments.length === 1 ? "Attachment: " : "Attachments: ",
      attachments.flatMap(({ title, start, end }, at) => [at ? ", " : "", h("button", {
        type: "button", class: "link", onclick: () => this.text.show({ start, end }, this.doc.mime),
      }, title.replace(ATTACHMENT, ""))])));
  }

  #drawOutline(entries, onChoose) {
    const top = Math.min(...entries.map(({ level }) => level));
    this.outline.panel.firstChild.replaceChildren(...entries.map((entry) => h("li", { class: `level-${Math.min(4, entry.level - top + 1)}` },
      h("button", { type: "button", class: "quiet", onclick: () => {
        this.outline.close();
        onChoose(entry);
      } }, h("span", { class: "clip", dir: "auto", title: entry.title }, entry.title), entry.page ? h("span", { class: "count" }, entry.page) : null))));
    this.outline.node.hidden = false;
  }
}
