// The form that creates a collection and, given a folder, starts its INDEX. Each setting is explained where it is made.
import { all, request, url } from "./api.js";
import { errorLine, field, runGuarded, h } from "./dom.js";
import { folderField } from "./folder-field.js";

const MAX_NAME = 200;

/** The page that makes a collection and leads to it. */
export function newCollectionView(app, _ids, _query, signal) {
  const onCreated = (collection) => { location.hash = `#/collections/${encodeURIComponent(collection.id)}`; };
  const node = h("div", { class: "stack" },
    h("p", { class: "back" }, h("a", { href: "#/collections" }, "← Collections")),
    h("header", { class: "stack tight" }, h("h1", {}, "New collection"),
      h("p", { class: "hint" }, "Documents that are searched and shared together. More folders, mailboxes and sites can be added to it later.")),
    h("section", { class: "card", "aria-label": "New collection" }, newCollection(app, signal, { onCreated })));
  return { node, title: "New collection" };
}

/** The form. `browsing`: the folders of the server stand open. `onCreated(collection)` is called when it is in the store. */
export function newCollection({ collectionStore, activity }, signal, { browsing = false, onCreated }) {
  const text = (name, placeholder, more = {}) => h("input", { name, placeholder, autocomplete: "off", ...more });
  const integer = (name, min, placeholder) => h("input", { name, type: "number", min, step: 1, placeholder });
  const model = text("embedding_model", "the server's default", { spellcheck: "false" });
  const name = text("name", "Manuals", { required: true, maxlength: MAX_NAME, dir: "auto" });
  let suggested = "";
  const folder = folderField({
    label: "Folder",
    hint: "On the server. Its documents are read, never changed. Leave it empty to upload files instead.",
    open: browsing,
    onModel: (chosen) => {
      model.value = chosen;
      settings.open = true;
    },
    onPath(path) {
      if (name.value !== suggested) return; // it was given a name by hand
      suggested = path.split("/").filter(Boolean).at(-1)?.slice(0, MAX_NAME) ?? "";
      name.value = suggested;
    },
    signal,
  });
  const inputs = {
    name,
    source_path: folder.input,
    description: text("description", "", { dir: "auto" }),
    embedding_model: model,
    chunk_size: integer("chunk_size", 16, "200"),
    chunk_overlap: integer("chunk_overlap", 0, "20"),
  };
  const watch = h("input", { type: "checkbox", name: "watch" });
  const errors = errorLine();
  const submit = h("button", { class: "primary" }, "Create collection");

  async function create() {
    const body = {};
    for (const [key, input] of Object.entries(inputs)) {
      const value = input.value.trim();
      if (value) body[key] = input.type === "number" ? Number(value) : value;
    }
    const collection = await request("POST", url(["collections"]), { body });
    const watched = watch.checked && collection.operation_id;
    form.reset();
    suggested = "";
    folder.reset();
    await collectionStore.refresh();
    if (collection.operation_id) activity.follow(collection.operation_id, collection.id);
    if (watched) await watchSources(collection.id);
    onCreated(collection);
  }

  const more = [h("label", { class: "check" }, watch, h("span", {}, "Watch the folder: index what is new or changed, by itself")),
    field("Description", inputs.description, "Optional.")];
  // For the first collection, only what is needed.
  const settings = h("details", { class: "settings" }, h("summary", {}, browsing ? "More settings" : "Model and chunks"), browsing ? more : null,
    h("div", { class: "fields" },
      field("Embedding model", model, "What turns text into meaning. The server's own suits English; “multilingual” suits a hundred languages, more slowly. Also a sentence-transformers name, or a path."),
      field("Chunk size", inputs.chunk_size, "Tokens at most in one chunk. 200 is about eight lines: smaller is more exact, larger keeps more context."),
      field("Overlap", inputs.chunk_overlap, "Tokens that neighbouring chunks share, so that nothing is cut in two.")),
    h("p", { class: "hint" }, "Text in scans and pictures is recognised where the server has Tesseract (documents.ocr); that is the same for all collections. All of this can be changed later with a reindex."));

  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      runGuarded(submit, errors, create);
    },
  },
  folder.node, field("Name", name, "The folder’s own, unless you give another."),
  browsing ? null : more, settings, errors.node, h("div", { class: "row" }, submit));
  return form;
}

async function watchSources(collectionId) {
  for (const source of await all(["collections", collectionId, "sources"])) {
    await request("PATCH", url(["collections", collectionId, "sources", source.id]), { body: { immediate: true } });
  }
}
