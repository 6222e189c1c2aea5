// The cells of one document in the table, and what is told of it besides.
import { h } from "./dom.js";
import { bytes, date, day, folderOf, number, plural, shownPath } from "./format.js";

export const REASONS = {
  unreadable: "unreadable", unsupported: "unknown format", corrupt: "damaged", too_large: "too large", timeout: "took too long",
  worker_died: "reader died", internal: "internal error", empty: "no text",
};

/** [name of the column, heading, what it sorts by] */
export const COLUMNS = [["name", "Name", "name"], ["type", "Type", "type"], ["size", "Size", "size"], ["changed", "Changed", "changed"],
  ["chunks", "Chunks", "chunks"], ["state", "Status", "status"]];

export function documentHref(collectionId, doc) {
  return `#/${["collections", collectionId, "documents", doc.id].map(encodeURIComponent).join("/")}`;
}

const ending = (name) => {
  const dot = name.lastIndexOf(".");
  return dot > 0 && name.length - dot < 8 ? name.slice(dot + 1).toLowerCase() : "";
};

/** What is worth saying below the name: why it failed, or where it lies. */
function second(doc) {
  if (doc.error) return h("span", { class: doc.status === "failed" ? "reason" : "remark", title: doc.error.message }, doc.error.message);
  const notes = [];
  if (doc.part_count !== null) notes.push(`${plural(doc.part_count, "document")} inside`);
  if (doc.missing) notes.push("its file was not found by the last scan");
  if (doc.due && doc.status !== "pending") notes.push("to be read again");
  return h("span", { class: "folder", title: shownPath(doc.path) }, [...notes, folderOf(doc)].join(" · "));
}

/** `onRetry`, `onWarnings` are null where there is nothing to do. */
export function documentCells(collectionId, doc, { selectable, onRetry, onWarnings }) {
  const cell = (kind, ...content) => h("div", { role: "gridcell", class: `cell-${kind}` }, ...content);
  const warnings = doc.quality?.warnings ?? [];
  const name = doc.status === "indexed" ? h("a", { href: documentHref(collectionId, doc), tabindex: -1, dir: "auto" }, doc.name)
    : h("span", { class: "name", dir: "auto" }, doc.name);
  return [
    selectable ? cell("select", h("input", { type: "checkbox", tabindex: -1, "aria-label": `Select ${doc.name}` })) : null,
    cell("name", h("span", { class: "file", title: doc.name }, name), second(doc)),
    cell("type", ending(doc.name)), cell("size", bytes(doc.size)),
    cell("changed", h("span", { title: date(doc.modified_at) }, day(doc.modified_at))),
    cell("chunks", doc.chunk_count ? number(doc.chunk_count) : ""),
    cell("state",
      onRetry && doc.status === "failed" && !doc.due ? h("button", { type: "button", class: "quiet", tabindex: -1, "aria-label": `Retry ${doc.name}`, onclick: onRetry }, "Retry") : null,
      warnings.length && onWarnings ? h("button", { type: "button", class: "quiet warned", tabindex: -1, "aria-label": `${plural(warnings.length, "warning")} of ${doc.name}`, onclick: onWarnings },
        plural(warnings.length, "warning")) : null,
      h("span", { class: "tag status", "data-status": doc.status }, doc.status)),
  ].filter(Boolean);
}
