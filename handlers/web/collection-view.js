// One collection: what it is and what can be done with it; its documents, failures, sources, operations and statistics.
import { deleteCollection, renameCollection } from "./collection-dialogs.js";
import { countsText, statusTag } from "./collection-list.js";
import { collectionStatistics } from "./collection-statistics.js";
import { documentList } from "./document-list.js";
import { isTooLarge } from "./document-pages.js";
import { errorLine, h, runGuarded } from "./dom.js";
import { failureSummary } from "./failure-summary.js";
import { folderList } from "./folder-list.js";
import { date, plural } from "./format.js";
import { operationList } from "./operation-list.js";
import { uploadArea } from "./upload-area.js";

export function collectionView(app, [id], query, signal) {
  const { collectionStore } = app;
  const known = collectionStore.get(id);
  if (!known) return { node: notFound(collectionStore, id, signal), title: "No such collection" };
  const manages = ["manage", "own"].includes(known.access);
  const status = h("span");
  const name = h("span", { class: "collection-title", dir: "auto" });
  const description = h("p", { class: "description", dir: "auto" });
  const counts = h("p", { class: "hint" });
  const details = h("p", { class: "hint" });
  const documents = documentList(app, known, query, signal);
  const folders = folderList(app, known, signal);
  const operations = operationList(id, folders.pathOf, signal);
  const onFilter = (changes) => documents.filter(changes);
  const failures = failureSummary(id, {
    mayRetry: known.access !== "read", onFilter, signal,
    onStarted: (operation) => {
      app.activity.follow(operation, id);
      collectionStore.refreshQuietly();
    },
  });
  const statistics = collectionStatistics(id, { isTooLarge: () => isTooLarge(collectionStore.get(id)), onFilter, signal, onLoaded: (found) => {
    failures.draw(found);
    documents.setTypes(found.types);
  } });
  const errors = errorLine();
  const reindex = h("button", { type: "button", onclick: () => runGuarded(reindex, errors, async () => {
    const { openReindex } = await import("./reindex-dialog.js");
    openReindex(app, collectionStore.get(id), signal);
  }) }, "Reindex…");
  const button = (text, act, style = "") => h("button", { type: "button", class: style, onclick: () => act(app, collectionStore.get(id), signal) }, text);
  let shown = "";
  let gone = false; // deleted, or no longer shared, since the page was opened

  function draw() {
    const collection = collectionStore.get(id);
    if (!collection) {
      if (!gone) node.replaceChildren(notFound(collectionStore, id, signal));
      gone = true;
      return;
    }
    status.replaceChildren(statusTag(collection.status));
    name.textContent = collection.name;
    name.title = collection.name;
    description.textContent = collection.description;
    description.hidden = !collection.description;
    counts.textContent = countsText(collection);
    details.textContent = detailsText(collection);
    // Also when nothing has changed here: only the folders and operations show a scan that found nothing new.
    folders.refresh().then(operations.refresh);
    const now = [collection.status, collection.generation, collection.updated_at, countsText(collection)].join();
    if (now === shown) return;
    const first = !shown;
    shown = now;
    reindex.hidden = !manages || collection.document_count + collection.failed_count === 0;
    if (!first) documents.refresh();
    statistics.refresh();
  }

  collectionStore.addEventListener("change", draw, { signal });
  // What there is comes first; where nothing is, what can be added.
  const sources = [folders.node, known.access === "read" ? null : uploadArea(app, known, signal)];
  const node = h("div", { class: "stack collection-page wide" }, ...[
    h("p", { class: "back" }, h("a", { href: "#/collections" }, "← Collections")),
    h("header", { class: "stack tight" },
      h("div", { class: "page-title" }, h("h1", {}, name), status),
      description, counts, details,
      h("div", { class: "page-actions" },
        h("a", { class: "button primary", href: `#/?${new URLSearchParams({ in: id })}` }, "Search in this collection"),
        manages ? h("a", { class: "button", href: `#/collections/${encodeURIComponent(id)}/sharing` }, "Sharing") : null, reindex,
        manages ? button("Rename…", renameCollection) : null), errors.node),
    known.document_count + known.failed_count + known.skipped_count ? [failures.node, documents.node, sources, operations.node] : [sources, operations.node, failures.node, documents.node],
    statistics.node,
    known.access === "own" ? h("footer", {}, button("Delete this collection…", deleteCollection, "danger quiet")) : null].flat(3));
  draw();
  return { node, title: known.name };
}

/** The collection may have been created elsewhere since the list was loaded: it is shown if the server knows it. */
function notFound(collectionStore, id, signal) {
  collectionStore.addEventListener("change", () => {
    if (collectionStore.get(id)) window.dispatchEvent(new Event("hashchange"));
  }, { signal });
  collectionStore.refreshQuietly();
  return h("div", { class: "card stack" }, h("h1", {}, "No such collection"),
    h("p", {}, "There is no such collection, or you have no access to it."), h("p", {}, h("a", { href: "#/collections" }, "To the collections")));
}

/** What it was made with, in a line. */
function detailsText({ embedding_model: model, chunk_size: size, updated_at: updated }) {
  return [model, `chunks of up to ${plural(size, "token")}`, `changed ${date(updated)}`].join(" · ");
}
