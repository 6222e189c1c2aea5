// Addresses of documents, passages and original files, and how a passage is cited. Pure functions.
import { url } from "./api.js";
import { shownPath } from "./format.js";

/** "page 3", or "page iii (3)" where the page has another label than its number. */
export function pageText({ page, page_label: label }) {
  if (!page) return "";
  return label && label !== String(page) ? `page ${label} (${page})` : `page ${page}`;
}

/** The address of a hit's place in its document; `query` are the parameters of the search that found it. */
export function documentLink(hit, query) {
  const parameters = new URLSearchParams([["start", hit.start], ["end", hit.end], ["seq", hit.seq], ...query]);
  if (hit.page) parameters.append("page", hit.page);
  for (const word of hit.matched ?? []) parameters.append("word", word);
  const path = ["collections", hit.collection.id, "documents", hit.document.id].map(encodeURIComponent).join("/");
  return `#/${path}?${parameters}`;
}

/** The address of the file; that of the file which holds it, for a document inside another one. */
export function originalUrl(collectionId, doc, query = {}) {
  return url(["collections", collectionId, "documents", doc.container_id ?? doc.id, "original"], query);
}

const shareable = (address) => new URL(address, location.href).href;

/** The deep link of a passage, without the search that found it. */
export function deepLink(hit) {
  return shareable(documentLink({ ...hit, matched: [] }, []));
}

const quoted = (text) => `“${text.replace(/^[#>\s|*-]+/, "").replace(/\s*\|\s*|\s+/g, " ").trim()}”`;

/** A passage as it is cited: its best sentence (or beginning), title, author, place and address. */
export function citation(hit) {
  const { document: doc } = hit;
  const characters = [...hit.passage];
  const [from, to] = hit.best_sentence ?? [0, Math.min(characters.length, 300)];
  const author = doc.authors?.length ? `${doc.authors.join(", ")}, ` : "";
  const year = doc.date ? ` (${doc.date.slice(0, 4)})` : "";
  const place = [pageText(hit), hit.heading ? `“${hit.heading}”` : ""].filter(Boolean).join(", ");
  const name = doc.title && doc.title !== doc.name ? `${doc.title}, ${shownPath(doc.name)}` : shownPath(doc.name);
  return `${quoted(characters.slice(from, to).join(""))} — ${author}${name}${year}${place ? `, ${place}` : ""}. ${deepLink(hit)}`;
}
