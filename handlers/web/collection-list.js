// The list of collections: searched, sorted, and drawn in one pass, so that hundreds are as quick as three.
import { field, h, replaceNodes } from "./dom.js";
import { day, number, plural } from "./format.js";

const SORTS = [
  ["name", "Name", (a, b) => a.name.localeCompare(b.name, "en", { sensitivity: "base", numeric: true })],
  ["changed", "Last change", (a, b) => b.updated_at.localeCompare(a.updated_at)],
  ["documents", "Documents", (a, b) => b.document_count - a.document_count],
  ["attention", "Needs attention", (a, b) => attention(b) - attention(a)],
];
const SEARCHED_FROM = 8; // shorter lists are read faster than searched

/** What of a collection a person may want to look at: failures count more than warnings. */
const attention = (one) => 1000 * one.failed_count + one.warned_count + (one.status === "incomplete" ? 500 : 0);

/** The tag with a collection's status. */
export function statusTag(status) {
  return h("span", { class: "tag status", "data-status": status }, status);
}

/** "40 documents · 812 chunks · 2 failed · 1 skipped" */
export function countsText(collection) {
  const parts = [plural(collection.document_count, "document"), plural(collection.chunk_count, "chunk")];
  if (collection.failed_count) parts.push(`${number(collection.failed_count)} failed`);
  if (collection.warned_count) parts.push(`${number(collection.warned_count)} with warnings`);
  if (collection.skipped_count) parts.push(`${number(collection.skipped_count)} skipped`);
  return parts.join(" · ");
}

/** Whose it is and who else may see it, as short words. */
function marks(collection) {
  const found = [];
  if (collection.access !== "own") found.push(["theirs", `${collection.owner.username}’s · ${collection.access}`]);
  if (collection.public) found.push(["public", "public"]);
  if (collection.share_count) found.push(["shared", `shared with ${number(collection.share_count)}`]);
  if (collection.watched) found.push(["watched", "watched"]);
  return found.map(([kind, text]) => h("span", { class: "mark-tag", "data-kind": kind }, text));
}

/** Facts with what needs attention in its colour. */
function facts(collection) {
  const parts = [h("span", {}, plural(collection.document_count, "document")), h("span", {}, plural(collection.chunk_count, "chunk"))];
  if (collection.failed_count) parts.push(h("span", { class: "is-bad" }, `${number(collection.failed_count)} failed`));
  if (collection.warned_count) parts.push(h("span", { class: "is-warned" }, `${number(collection.warned_count)} with warnings`));
  if (collection.skipped_count) parts.push(h("span", {}, `${number(collection.skipped_count)} skipped`));
  parts.push(h("span", {}, `changed ${day(collection.updated_at)}`));
  return h("p", { class: "facts" }, parts);
}

/** `actions(collection)`: buttons at the end of a row, if any. */
function row(collection, actions) {
  const href = `#/collections/${encodeURIComponent(collection.id)}`;
  const empty = collection.status === "empty" && !collection.active_operation_id;
  return h("li", { class: "collection" },
    h("div", { class: "collection-main" },
      h("div", { class: "collection-name" },
        h("h2", { title: collection.name, dir: "auto" }, h("a", { href }, collection.name)), statusTag(collection.status), marks(collection)),
      collection.description ? h("p", { class: "description", dir: "auto" }, collection.description) : null,
      empty ? h("p", { class: "facts" }, "Nothing in it yet. Open it to add a folder or upload files.") : facts(collection)),
    actions ? h("div", { class: "row-actions" }, actions(collection)) : null);
}

/** The section with the list; it follows the store. `heading`: of the page, or of a part of it. */
export function collectionList({ collectionStore }, signal, { heading = "h1", actions = null, more = null } = {}) {
  const list = h("ul", { class: "collections" });
  const search = h("input", { type: "search", name: "collection", autocomplete: "off", placeholder: "Part of a name, or an owner" });
  const sort = h("select", { name: "sort" }, SORTS.map(([value, text]) => h("option", { value }, text)));
  const tools = h("div", { class: "list-tools", hidden: true }, field("Find a collection", search), field("Sorted by", sort));
  const empty = h("p", { class: "empty" });
  const section = h("section", { class: "stack", "aria-labelledby": "collections-heading" },
    h("div", { class: "page-head" }, h(heading, { id: "collections-heading" }, "Collections"), more), tools, list, empty);
  const rows = new Map(); // by id: {text, node}, so that what has not changed is not built anew

  function built(collection) {
    const text = JSON.stringify(collection);
    const known = rows.get(collection.id);
    if (known?.text === text) return known.node;
    const node = row(collection, actions);
    rows.set(collection.id, { text, node });
    return node;
  }

  function draw() {
    const { collections } = collectionStore;
    const wanted = search.value.trim().toLowerCase();
    const compare = SORTS.find(([value]) => value === sort.value)[2];
    const found = collections.filter((one) => !wanted || `${one.name}\n${one.description}\n${one.owner.username}`.toLowerCase().includes(wanted));
    tools.hidden = collections.length < SEARCHED_FROM && !wanted;
    empty.hidden = found.length > 0;
    list.hidden = found.length === 0;
    empty.textContent = collections.length === 0
      ? "No collections yet. A collection is a folder’s documents made searchable: name one and choose its folder."
      : "No collection matches this.";
    replaceNodes(list, [...found].sort(compare).map(built));
  }

  search.addEventListener("input", draw);
  sort.addEventListener("change", draw);
  collectionStore.addEventListener("change", draw, { signal });
  draw();
  return section;
}
