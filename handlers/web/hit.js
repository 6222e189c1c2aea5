// One document of a result: its passages with the words that were found, and why it was found.
import { url } from "./api.js";
import { h } from "./dom.js";
import { folderOf, shownPath } from "./format.js";
import { highlightRanges } from "./highlight.js";

const [MOST_TAGS, MOST_AUTHORS] = [5, 3];
const RELEVANCE = {
  strong: ["strong match", "Clearly better than what an unrelated query finds here"],
  fair: ["fair match", "Better than most of what an unrelated query finds here"],
  weak: ["weak match", "No better than what an unrelated query finds here"],
};

/** "page 3", or "page iii (3)" where the page has another label than its number. */
function pageText({ page, page_label: label }) {
  if (!page) return "";
  return label ? `page ${label} (${page})` : `page ${page}`;
}

function positionText(hit) {
  return [pageText(hit), hit.heading ?? "", hit.recognised ? "recognised text" : ""].filter(Boolean).join(" · ");
}

/** The scores as a sentence: "by meaning 0.612 (cosine), by words 8.4 (BM25), together 0.871". */
function scoresText({ meaning, words, fused }) {
  return [
    meaning === null ? "" : `by meaning ${meaning.toFixed(3)} (cosine)`,
    words === null ? "" : `by words ${words.toFixed(1)} (BM25)`,
    `together ${fused.toFixed(3)}`,
  ].filter(Boolean).join(", ");
}

function relevanceTag({ relevance, scores }) {
  const [text, explanation] = RELEVANCE[relevance] ?? [scores.fused.toFixed(2), "Score from 0 to 1"];
  const title = `${explanation}: ${scoresText(scores)}`;
  return h("span", { class: "tag relevance", "data-relevance": relevance, title }, text);
}

/** The address of a hit's place in its document; `query` are the parameters of the search that found it. */
function documentLink(hit, query) {
  const parameters = new URLSearchParams([["start", hit.start], ["end", hit.end], ...query]);
  for (const word of hit.matched ?? []) parameters.append("word", word);
  const path = ["collections", hit.collection.id, "documents", hit.document.id].map(encodeURIComponent).join("/");
  return `#/${path}?${parameters}`;
}

/** The address of the file itself; a document inside another one has none. */
function originalLink({ collection, document: doc }) {
  if (doc.container_id) return null;
  const href = url(["collections", collection.id, "documents", doc.id, "original"]);
  return h("a", { href, target: "_blank", rel: "noopener" }, "Open the file");
}

/** Further passages of the same document, each with its place and a link. */
function furtherPassages(hits, query) {
  if (!hits.length) return null;
  return h("ul", { class: "more", "aria-label": "More of this document" }, hits.map((hit) => h("li", {},
    h("a", { href: documentLink(hit, query) }, positionText(hit) || "Another passage"), " ",
    h("span", { class: "snippet" }, highlightRanges(hit.passage, hit.highlights)))));
}

function copies(hits, query) {
  if (!hits.length) return null;
  const links = hits.map((copy) =>
    h("a", { href: documentLink(copy, query), title: shownPath(copy.document.path) }, copy.document.name));
  return h("p", { class: "hint copies" }, "Also in ", links.flatMap((link, at) => (at ? [", ", link] : [link])));
}

/** The authors and the first tags of a document. */
function known({ authors, tags }) {
  const shown = tags.slice(0, MOST_TAGS).map((tag) => h("span", { class: "tag own" }, tag));
  return [authors.length ? h("span", { class: "hint" }, authors.slice(0, MOST_AUTHORS).join(", ")) : null, ...shown];
}

/** The card of a hit; `query` are the parameters of the search: `[["q", "pump"], ["in", "id"], …]`. */
export function hitCard(hit, query) {
  const { document: doc, collection } = hit;
  const position = positionText(hit);
  const titled = doc.title && doc.title !== doc.name;
  const folder = folderOf(doc);
  return h("li", { class: "card hit" },
    h("div", { class: "row" },
      h("h2", {}, titled ? [h("span", {}, doc.title), " "] : null, h("span", {}, doc.name)), relevanceTag(hit)),
    h("p", { class: "place" }, position ? h("span", {}, position) : null, h("span", { class: "tag" }, collection.name), known(doc)),
    h("p", { class: "chunk" }, highlightRanges(hit.passage, hit.highlights, hit.best_sentence)),
    furtherPassages(hit.more, query), copies(hit.also_in, query),
    h("p", { class: "row foot" }, h("span", { class: "folder", title: shownPath(doc.path) }, folder),
      h("span", { class: "links" }, originalLink(hit), " ", h("a", { href: documentLink(hit, query) }, "Show in document"))));
}
