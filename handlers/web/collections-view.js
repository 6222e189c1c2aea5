// All collections, and the form for a new one.
import { collectionList } from "./collection-list.js";
import { h } from "./dom.js";
import { newCollection } from "./new-collection.js";

export function collectionsView(app, _ids, _query, signal) {
  return { node: h("div", { class: "stack home" }, collectionList(app, signal), newCollection(app, signal)), title: "Collections" };
}
