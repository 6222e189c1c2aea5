// What is known of a document besides its text: where it comes from, how it was read, what may be wrong.
import { h } from "./dom.js";
import { bytes, date, number, plural, shownPath } from "./format.js";

/** What is said where a document has no text. */
export function emptyText(doc) {
  if (doc.part_count === null) return "No text was found in this document.";
  return `This file holds ${plural(doc.part_count, "document")}; each is listed and found by itself.`;
}

/** "3 pages of recognised text", "2 pages without text": what is worth knowing of how the document was read. */
function qualityFacts(quality) {
  if (!quality) return [];
  const parts = [];
  if (quality.recognised_pages) parts.push(`${plural(quality.recognised_pages, "page")} of recognised text`);
  if (quality.pages_without_text) parts.push(`${plural(quality.pages_without_text, "page")} without text`);
  if (quality.left_out) parts.push(`${number(quality.left_out)} characters of encoded data are not searched`);
  return parts;
}

/** Where a document of a connector comes from: the last commit of a file, or the address of a page. */
function originNodes(origin) {
  if (!origin) return [];
  const { commit, author, subject, url: address } = origin;
  const change = commit ? [`Last change: ${[subject, author].filter(Boolean).join(", by ")} (${commit.slice(0, 10)})`] : [];
  // The address comes from a server that nobody trusts: only what opens a page becomes a link.
  const page = /^https?:\/\//.test(address ?? "")
    ? [h("a", { href: address, rel: "noreferrer noopener", target: "_blank" }, "Open the page")] : [];
  return [...change, ...page];
}

/** The lines below the title. */
export function documentFacts(doc, length) {
  const facts = [doc.authors.join(", "), date(doc.date ?? doc.modified_at), bytes(doc.size), doc.pages ? plural(doc.pages, "page") : "",
    length === undefined ? "" : `${number(length)} characters of text`,
    ...qualityFacts(doc.quality)].filter(Boolean);
  const origin = originNodes(doc.origin);
  const notes = doc.quality?.warnings ?? [];
  return [
    h("p", { class: "hint path", dir: "auto" }, shownPath(doc.path)),
    h("p", { class: "hint facts" }, facts.join(" · ")),
    origin.length ? h("p", { class: "hint" }, origin) : null,
    notes.length ? h("ul", { class: "hint warnings", "aria-label": "How it was read" }, notes.map((each) => h("li", {}, each))) : null,
  ].filter(Boolean);
}
