// A document's extracted text around a hit, with the chunk highlighted; more text is loaded at both ends on demand.
// Offsets are characters (code points) as the server counts them, not the UTF-16 units of a JavaScript string.
import { request, url } from "./api.js";
import { errorLine, runGuarded, h } from "./dom.js";
import { bytes, date, number, plural, shownPath } from "./format.js";
import { highlight, queryPattern } from "./highlight.js";
import { searchFrom, searchParameters } from "./search-address.js";
import { tagList } from "./tags.js";

const WINDOW = 20_000;
const BEFORE = 4_000;

/** What is said where a document has no text. */
function emptyText(doc) {
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

export function documentView({ collectionStore }, [collectionId, documentId], query, signal) {
  const parts = ["collections", collectionId, "documents", documentId];
  const hit = query.has("start") ? { start: Number(query.get("start")), end: Number(query.get("end")) } : null;
  const pattern = queryPattern(query.getAll("word").join(" ") || (query.get("q") ?? ""));
  const collection = collectionStore.get(collectionId);
  const searchQuery = new URLSearchParams(searchParameters(searchFrom(query)));
  const back = query.has("q")
    ? h("a", { href: `#/?${searchQuery}` }, "← Back to the results")
    : h("a", { href: `#/collections/${encodeURIComponent(collectionId)}` }, `← ${collection?.name ?? "The collection"}`);
  const heading = h("h1", {}, "Loading…");
  const facts = h("p", { class: "hint" });
  const tags = h("div");
  const origin = h("p", { class: "hint", hidden: true });
  const original = h("p", { class: "row", hidden: true });
  const quality = h("ul", { class: "hint warnings", hidden: true });
  const text = h("div", { class: "text", "aria-busy": "true" });
  const errors = errorLine();
  const earlier = h("button", { type: "button", hidden: true }, "Earlier text");
  const later = h("button", { type: "button", hidden: true }, "Later text");
  let from = hit ? Math.max(0, hit.start - BEFORE) : 0;
  let next = null;

  const read = (offset, limit) => request("GET", url([...parts, "content"], { offset, limit }), { signal });

  /** The nodes of a slice of the text, with the part of the hit that lies in it highlighted. */
  function nodes(content) {
    const characters = Array.from(content.text);
    const clamp = (offset) => Math.min(Math.max(0, offset - content.offset), characters.length);
    const [start, end] = hit ? [clamp(hit.start), clamp(hit.end)] : [0, 0];
    const slice = (a, b) => characters.slice(a, b).join("");
    if (start === end) return [content.text];
    const chunk = h("mark", { class: "chunk", id: "hit", tabindex: "-1" }, highlight(slice(start, end), pattern));
    return [slice(0, start), chunk, slice(end)];
  }

  function drawButtons() {
    earlier.hidden = from === 0;
    later.hidden = next === null;
  }

  async function open() {
    const [doc, content] = await Promise.all([
      request("GET", url(parts), { signal }),
      read(from, Math.max(WINDOW, hit ? hit.end - from + BEFORE : 0)),
    ]);
    heading.textContent = doc.title || doc.name;
    document.title = `${doc.name} · Semantik`;
    facts.textContent = [shownPath(doc.path), doc.authors.join(", "), bytes(doc.size), date(doc.date ?? doc.modified_at), `${number(content.length)} characters of text`,
      ...qualityFacts(doc.quality)].filter(Boolean).join(" · ");
    origin.replaceChildren(...originNodes(doc.origin));
    origin.hidden = !origin.hasChildNodes();
    original.replaceChildren(
      h("a", { href: url([...parts, "original"]), target: "_blank", rel: "noopener" }, "Open the file"),
      h("a", { href: url([...parts, "original"], { download: true }) }, "Save the file"));
    original.hidden = doc.container_id !== null;
    quality.replaceChildren(...(doc.quality?.warnings ?? []).map((each) => h("li", {}, each)));
    quality.hidden = !quality.hasChildNodes();
    tags.replaceChildren(tagList(doc, parts, collection !== undefined && collection.access !== "read", signal));
    next = content.next_offset;
    text.replaceChildren(...nodes(content));
    if (!content.length) text.replaceChildren(h("p", { class: "empty" }, doc.error?.message ?? emptyText(doc)));
    text.removeAttribute("aria-busy");
    drawButtons();
    const chunk = text.querySelector("#hit");
    chunk?.scrollIntoView({ block: "center" });
    chunk?.focus({ preventScroll: true });
  }

  earlier.addEventListener("click", () => runGuarded(earlier, errors, async () => {
    const offset = Math.max(0, from - WINDOW);
    const content = await read(offset, from - offset);
    const height = document.documentElement.scrollHeight;
    text.prepend(...nodes(content));
    from = offset;
    drawButtons();
    window.scrollBy(0, document.documentElement.scrollHeight - height);
  }));
  later.addEventListener("click", () => runGuarded(later, errors, async () => {
    const content = await read(next, WINDOW);
    text.append(...nodes(content));
    next = content.next_offset;
    drawButtons();
  }));
  runGuarded(later, errors, open).then(() => {
    if (errors.node.hidden) return;
    heading.textContent = "This document cannot be shown";
    text.removeAttribute("aria-busy");
  });
  const node = h("article", { class: "stack" }, h("p", {}, back), heading, facts, original, origin, tags, quality, errors.node, earlier, text, later);
  return { node, title: "Document" };
}
