// The collections, each with its state and counts; says what to do when there are none.
import { h, refill } from "./dom.js";
import { plural } from "./format.js";

/** The state of a collection for people; also used on the collection's own page. */
export function statusTag(status) {
  return h("span", { class: "tag status", "data-status": status }, status);
}

/** "40 documents · 812 passages · 2 failed · 1 skipped" */
export function countsOf(collection) {
  const parts = [plural(collection.document_count, "document"), plural(collection.chunk_count, "passage")];
  if (collection.failed_count) parts.push(`${collection.failed_count} failed`);
  if (collection.skipped_count) parts.push(`${collection.skipped_count} skipped`);
  return parts.join(" · ");
}

export function collectionList({ library }, signal) {
  const list = h("ul", { class: "cards" });
  const empty = h("p", { class: "empty" },
    "No collections yet. A collection is a folder's documents made searchable: name one below and give its folder.");
  const section = h("section", { class: "stack", "aria-labelledby": "collections-heading" },
    h("h1", { id: "collections-heading" }, "Collections"), list, empty);

  function draw() {
    const { collections } = library;
    empty.hidden = collections.length > 0;
    list.hidden = collections.length === 0;
    refill(list, collections.map((collection) => {
      const href = `#/collections/${encodeURIComponent(collection.id)}`;
      return h("li", { class: "card collection" },
        h("div", { class: "row" }, h("h2", {}, h("a", { href }, collection.name)), statusTag(collection.status)),
        collection.description ? h("p", {}, collection.description) : null,
        h("p", { class: "hint" }, countsOf(collection)),
        collection.status === "empty" && !collection.active_operation_id
          ? h("p", { class: "hint" }, "Open it to add a folder.") : null);
    }));
  }

  library.addEventListener("change", draw, { signal });
  draw();
  return section;
}
