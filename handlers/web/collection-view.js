// One collection: its counts, its folders, its documents, and its end.
import { all, request, url } from "./api.js";
import { countsOf, statusTag } from "./collection-list.js";
import { documentList } from "./document-list.js";
import { errorLine, field, guarded, h } from "./dom.js";
import { date, number, plural } from "./format.js";

export function collectionView(app, [id], _query, signal) {
  const { library } = app;
  const known = library.get(id);
  if (!known) return { node: unknown(), title: "No such collection" };
  const status = h("span");
  const counts = h("p", { class: "hint" });
  const details = h("p", { class: "hint" });
  const documents = documentList(app, id, signal);
  const folders = folderList(app, known, signal);
  let generation = "";

  function draw() {
    const collection = library.get(id);
    if (!collection) {
      location.hash = "#/";
      return;
    }
    status.replaceChildren(statusTag(collection.status));
    counts.textContent = countsOf(collection);
    const now = [collection.status, collection.updated_at, countsOf(collection)].join();
    if (now === generation) return;
    generation = now;
    documents.refresh();
    folders.refresh();
    describe(id, details, signal);
  }

  library.addEventListener("change", draw, { signal });
  const node = h("div", { class: "stack" },
    h("p", {}, h("a", { href: "#/" }, "← All collections")),
    h("header", { class: "stack tight" },
      h("div", { class: "row" }, h("h1", {}, known.name), status),
      known.description ? h("p", {}, known.description) : null, counts, details,
      h("p", {}, h("a", { href: `#/?${new URLSearchParams({ in: id })}` }, "Search in this collection"))),
    folders.node, documents.node, known.owner ? removal(app, known) : null);
  draw();
  return { node, title: known.name };
}

function unknown() {
  return h("div", { class: "card stack" },
    h("p", {}, "There is no such collection, or you may not see it."), h("p", {}, h("a", { href: "#/" }, "To the collections")));
}

async function describe(id, line, signal) {
  try {
    const collection = await request("GET", url(["collections", id]), { signal });
    const parts = [collection.embedding_model, `passages of up to ${plural(collection.chunk_size, "token")}`];
    const recall = collection.stats?.measured_recall;
    if (recall) parts.push(`recall ${number(Math.round(recall * 1000) / 1000)}`);
    parts.push(`changed ${date(collection.updated_at)}`);
    line.textContent = parts.join(" · ");
  } catch (error) {
    if (!signal.aborted) line.textContent = error.message;
  }
}

function folderList({ library, activity }, { id, owner }, signal) {
  const list = h("ul", { class: "plain" });
  const empty = h("p", { class: "empty", hidden: true }, "No folder yet. Add one to have its documents indexed.");
  const errors = errorLine();
  const path = h("input", { name: "path", required: true, placeholder: "/srv/documents/more", autocomplete: "off" });
  const submit = h("button", {}, "Add folder");
  const form = h("form", {
    onsubmit: (event) => {
      event.preventDefault();
      guarded(submit, errors, async () => {
        const added = await request("POST", url(["collections", id, "sources"]), { body: { path: path.value.trim() }, signal });
        form.reset();
        activity.follow(added.operation_id, id);
        await library.refresh();
        await refresh();
      });
    },
  }, h("div", { class: "bar" }, field("Add a folder", path), submit));

  async function refresh() {
    try {
      const sources = await all(["collections", id, "sources"]);
      if (signal.aborted) return;
      empty.hidden = sources.length > 0;
      list.replaceChildren(...sources.map((source) => h("li", { class: "row" },
        h("span", { class: "path" }, source.path), h("span", { class: "hint" }, plural(source.document_count, "document")))));
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  const node = h("section", { class: "card stack", "aria-labelledby": "folders-heading" },
    h("h2", { id: "folders-heading" }, "Folders"), list, empty, owner ? form : null, errors.node);
  return { node, refresh };
}

function removal({ library }, { id, name }) {
  const errors = errorLine();
  const close = h("button", { type: "button", onclick: () => dialog.close() }, "Keep it");
  const confirm = h("button", { type: "button", class: "danger" }, "Delete collection");
  confirm.addEventListener("click", () => guarded(confirm, errors, async () => {
    await request("DELETE", url(["collections", id]));
    dialog.close();
    location.hash = "#/";
    await library.refresh();
  }));
  const dialog = h("dialog", { "aria-labelledby": "delete-heading" },
    h("h2", { id: "delete-heading" }, `Delete “${name}”?`),
    h("p", {}, "Its index and everything read from its documents are deleted. The files in its folders stay as they are."),
    errors.node, h("div", { class: "row" }, confirm, close));
  const open = h("button", { type: "button", class: "danger quiet", onclick: () => dialog.showModal() }, "Delete this collection…");
  return h("footer", {}, open, dialog);
}
