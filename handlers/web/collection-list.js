// The list of collections, each with its status and counts, or a hint when there are none.
import { h, replaceNodes } from "./dom.js";
import { plural } from "./format.js";

/** The tag with a collection's status. */
export function statusTag(status) {
  return h("span", { class: "tag status", "data-status": status }, status);
}

/** "40 documents · 812 chunks · 2 failed · 1 skipped" */
export function countsText(collection) {
  const parts = [plural(collection.document_count, "document"), plural(collection.chunk_count, "chunk")];
  if (collection.failed_count) parts.push(`${collection.failed_count} failed`);
  if (collection.warned_count) parts.push(`${collection.warned_count} with warnings`);
  if (collection.skipped_count) parts.push(`${collection.skipped_count} skipped`);
  return parts.join(" · ");
}

export function collectionList({ collectionStore }, signal) {
  const list = h("ul", { class: "cards" });
  const empty = h("p", { class: "empty" },
    "No collections yet. A collection is a folder's documents made searchable: name one below and give its folder.");
  const section = h("section", { class: "stack", "aria-labelledby": "collections-heading" },
    h("h1", { id: "collections-heading" }, "Collections"), list, empty);

  function draw() {
    const { collections } = collectionStore;
    empty.hidden = collections.length > 0;
    list.hidden = collections.length === 0;
    replaceNodes(list, collections.map((collection) => {
      const href = `#/collections/${encodeURIComponent(collection.id)}`;
      return h("li", { class: "card collection" },
        h("div", { class: "row" }, h("h2", {}, h("a", { href }, collection.name)), statusTag(collection.status)),
        collection.description ? h("p", {}, collection.description) : null,
        h("p", { class: "hint" }, countsText(collection)),
        collection.status === "empty" && !collection.active_operation_id
          ? h("p", { class: "hint" }, "Open it to add a folder.") : null);
    }));
  }

  collectionStore.addEventListener("change", draw, { signal });
  draw();
  return section;
}
