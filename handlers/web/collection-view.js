// One collection: counts, folders, operations, documents, and deletion.
import { request, url } from "./api.js";
import { countsText, statusTag } from "./collection-list.js";
import { openDialog } from "./dialog.js";
import { documentList } from "./document-list.js";
import { h } from "./dom.js";
import { folderList } from "./folder-list.js";
import { date, number, plural } from "./format.js";
import { operationList } from "./operation-list.js";
import { openReindex } from "./reindex-dialog.js";
import { uploadArea } from "./upload-area.js";

export function collectionView(app, [id], _query, signal) {
  const { collectionStore } = app;
  const known = collectionStore.get(id);
  if (!known) return { node: notFound(collectionStore, id, signal), title: "No such collection" };
  const status = h("span");
  const counts = h("p", { class: "hint" });
  const details = h("p", { class: "hint" });
  const documents = documentList(app, known, signal);
  const folders = folderList(app, known, signal);
  const operations = operationList(id, folders.pathOf, signal);
  const reindex = h("button", { type: "button", onclick: () => openReindex(app, collectionStore.get(id), signal) }, "Reindex…");
  let shown = "";

  function draw() {
    const collection = collectionStore.get(id);
    if (!collection) {
      location.hash = "#/";
      return;
    }
    status.replaceChildren(statusTag(collection.status));
    counts.textContent = countsText(collection);
    // Also when nothing has changed here: only the folders and operations show a scan that found nothing new.
    folders.refresh().then(operations.refresh);
    const now = [collection.status, collection.generation, collection.updated_at, countsText(collection)].join();
    if (now === shown) return;
    shown = now;
    reindex.hidden = !["manage", "own"].includes(known.access) || collection.document_count + collection.failed_count === 0;
    documents.refresh();
    describe(id, details, signal);
  }

  collectionStore.addEventListener("change", draw, { signal });
  const node = h("div", { class: "stack" },
    h("p", {}, h("a", { href: "#/" }, "← All collections")),
    h("header", { class: "stack tight" },
      h("div", { class: "row" }, h("h1", {}, known.name), status),
      known.description ? h("p", {}, known.description) : null, counts, details,
      h("p", { class: "row" }, h("a", { href: `#/?${new URLSearchParams({ in: id })}` }, "Search in this collection"),
        ["manage", "own"].includes(known.access) ? h("a", { href: `#/collections/${encodeURIComponent(id)}/sharing` }, "Sharing") : null, reindex)),
    known.access === "read" ? null : uploadArea(app, known, signal), folders.node, operations.node, documents.node, known.access === "own" ? deletion(app, known, signal) : null);
  draw();
  return { node, title: known.name };
}

/** The collection may have been created elsewhere since the list was loaded: it is shown if the server knows it. */
function notFound(collectionStore, id, signal) {
  collectionStore.addEventListener("change", () => {
    if (collectionStore.get(id)) window.dispatchEvent(new Event("hashchange"));
  }, { signal });
  collectionStore.refreshQuietly();
  return h("div", { class: "card stack" },
    h("p", {}, "There is no such collection, or you have no access to it."), h("p", {}, h("a", { href: "#/" }, "To the collections")));
}

async function describe(id, line, signal) {
  try {
    const collection = await request("GET", url(["collections", id]), { signal });
    const parts = [collection.embedding_model, `chunks of up to ${plural(collection.chunk_size, "token")}`];
    const recall = collection.stats?.measured_recall;
    if (recall) parts.push(`recall ${number(Math.round(recall * 1000) / 1000)}`);
    parts.push(`changed ${date(collection.updated_at)}`);
    line.textContent = parts.join(" · ");
  } catch (error) {
    if (!signal.aborted) line.textContent = error.message;
  }
}

function deletion({ collectionStore }, { id, name }, signal) {
  const ask = () => openDialog({
    title: `Delete “${name}”?`,
    content: h("p", {}, "Its index and everything read from its documents are deleted. The files in its folders stay as they are."),
    submit: {
      text: "Delete collection",
      danger: true,
      action: async () => {
        await request("DELETE", url(["collections", id]));
        location.hash = "#/";
        await collectionStore.refresh();
      },
    },
    cancel: "Keep it",
    signal,
  });
  return h("footer", {}, h("button", { type: "button", class: "danger quiet", onclick: ask }, "Delete this collection…"));
}
