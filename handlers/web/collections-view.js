// The page of all collections: find, rename, share and delete them.
import { collectionList } from "./collection-list.js";
import { deleteCollection, renameCollection } from "./collection-dialogs.js";
import { h } from "./dom.js";

export function collectionsView(app, _ids, _query, signal) {
  const key = (action, { id }) => `${action}-${id}`;

  function actions(collection) {
    const manages = ["manage", "own"].includes(collection.access);
    const button = (action, text, act, style = "quiet") => h("button", {
      type: "button", class: style, "data-key": key(action, collection), "aria-label": `${text} ${collection.name}`, onclick: act,
    }, text);
    return [
      manages && button("rename", "Rename…", () => renameCollection(app, collection, signal)),
      manages && h("a", {
        class: "quiet button", href: `#/collections/${encodeURIComponent(collection.id)}/sharing`, "aria-label": `Sharing ${collection.name}`,
      }, "Sharing"),
      collection.access === "own" && button("delete", "Delete…", () => deleteCollection(app, collection, signal), "danger quiet"),
    ];
  }

  const add = h("a", { class: "button primary", href: "#/collections/new" }, "New collection");
  return { node: h("div", { class: "stack collections-page" }, collectionList(app, signal, { actions, more: add })), title: "Collections" };
}
