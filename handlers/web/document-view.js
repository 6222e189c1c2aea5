// A document's extracted text around a hit, with the passage marked; more is read at both ends on demand.
// Offsets are characters (code points) as the server counts them, not the UTF-16 units of a JavaScript string.
import { request, url } from "./api.js";
import { errorLine, guarded, h } from "./dom.js";
import { bytes, date, number } from "./format.js";
import { marked, wordsOf } from "./highlight.js";

const WINDOW = 20_000;
const BEFORE = 4_000;

export function documentView({ library }, [collectionId, documentId], query, signal) {
  const parts = ["collections", collectionId, "documents", documentId];
  const hit = query.has("start") ? { start: Number(query.get("start")), end: Number(query.get("end")) } : null;
  const words = wordsOf(query.get("q") ?? "");
  const collection = library.get(collectionId);
  const passages = new URLSearchParams([...query].filter(([name]) => name === "q" || name === "in"));
  const back = query.has("q")
    ? h("a", { href: `#/?${passages}` }, "← Back to the passages")
    : h("a", { href: `#/collections/${encodeURIComponent(collectionId)}` }, `← ${collection?.name ?? "The collection"}`);
  const heading = h("h1", {}, "Reading…");
  const facts = h("p", { class: "hint" });
  const text = h("div", { class: "text", "aria-busy": "true" });
  const errors = errorLine();
  const earlier = h("button", { type: "button", hidden: true }, "Earlier text");
  const later = h("button", { type: "button", hidden: true }, "Later text");
  let from = hit ? Math.max(0, hit.start - BEFORE) : 0;
  let next = null;

  const read = (offset, limit) => request("GET", url([...parts, "content"], { offset, limit }), { signal });

  /** The nodes of a stretch of text, with whatever of the hit lies in it. */
  function nodes(content) {
    const characters = Array.from(content.text);
    const cut = (offset) => Math.min(Math.max(0, offset - content.offset), characters.length);
    const [start, end] = hit ? [cut(hit.start), cut(hit.end)] : [0, 0];
    const slice = (a, b) => characters.slice(a, b).join("");
    if (start === end) return [content.text];
    const passage = h("mark", { class: "passage", id: "hit", tabindex: "-1" }, marked(slice(start, end), words));
    return [slice(0, start), passage, slice(end)];
  }

  function bounds() {
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
    facts.textContent = [doc.path, bytes(doc.size), date(doc.modified_at), `${number(content.length)} characters of text`]
      .filter(Boolean).join(" · ");
    next = content.next_offset;
    text.replaceChildren(...nodes(content));
    if (!content.length) text.replaceChildren(h("p", { class: "empty" }, doc.error?.message ?? "No text was found in this document."));
    text.removeAttribute("aria-busy");
    bounds();
    const passage = text.querySelector("#hit");
    passage?.scrollIntoView({ block: "center" });
    passage?.focus({ preventScroll: true });
  }

  earlier.addEventListener("click", () => guarded(earlier, errors, async () => {
    const offset = Math.max(0, from - WINDOW);
    const content = await read(offset, from - offset);
    const height = document.documentElement.scrollHeight;
    text.prepend(...nodes(content));
    from = offset;
    bounds();
    window.scrollBy(0, document.documentElement.scrollHeight - height);
  }));
  later.addEventListener("click", () => guarded(later, errors, async () => {
    const content = await read(next, WINDOW);
    text.append(...nodes(content));
    next = content.next_offset;
    bounds();
  }));
  guarded(later, errors, open).then(() => {
    if (errors.node.hidden) return;
    heading.textContent = "This document cannot be shown";
    text.removeAttribute("aria-busy");
  });
  const node = h("article", { class: "stack" }, h("p", {}, back), heading, facts, errors.node, earlier, text, later);
  return { node, title: "Document" };
}
