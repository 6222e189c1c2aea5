// The form that creates a collection and, given a folder, starts its INDEX. Each setting is explained where it is made.
import { all, request, url } from "./api.js";
import { errorLine, field, runGuarded, h } from "./dom.js";
import { folderField } from "./folder-field.js";

const MAX_NAME = 200;

/** `page`: it is the main content, and leads to the new collection; else a panel, which closes. */
export function newCollection({ collectionStore, activity }, signal, { page = false } = {}) {
  const text = (name, placeholder, more = {}) => h("input", { name, placeholder, autocomplete: "off", ...more });
  const integer = (name, min, placeholder) => h("input", { name, type: "number", min, step: 1, placeholder });
  const model = text("embedding_model", "the server's default", { spellcheck: "false" });
  const folder = folderField({
    label: "Folder",
    hint: "On the server. Its documents are read, never changed. Leave it empty to upload files instead.",
    onModel: (name) => {
      model.value = name;
      settings.open = true;
    },
    signal,
  });
  const inputs = {
    name: text("name", "Manuals", { required: true, maxlength: MAX_NAME, dir: "auto" }),
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
    for (const [name, input] of Object.entries(inputs)) {
      const value = input.value.trim();
      if (value) body[name] = input.type === "number" ? Number(value) : value;
    }
    const collection = await request("POST", url(["collections"]), { body });
    const watched = watch.checked && collection.operation_id;
    form.reset();
    folder.reset();
    if (!page) panel.open = false;
    await collectionStore.refresh();
    if (collection.operation_id) activity.follow(collection.operation_id, collection.id);
    if (watched) await watchSources(collection.id);
    if (page) location.hash = `#/collections/${encodeURIComponent(collection.id)}`;
  }

  const settings = h("details", { class: "settings" }, h("summary", {}, "Model and chunks"),
    h("div", { class: "fields" },
      field("Embedding model", model, "What turns text into meaning. The server's own suits English; “multilingual” suits a hundred languages, more slowly. Also a sentence-transformers name, or a path."),
      field("Chunk size", inputs.chunk_size, "Tokens at most in one passage. 200 is about eight lines: smaller is more exact, larger keeps more context."),
      field("Overlap", inputs.chunk_overlap, "Tokens that neighbouring passages share, so that nothing is cut in two.")),
    h("p", { class: "hint" }, "Text in scans and pictures is recognised where the server has Tesseract (documents.ocr); that is the same for all collections. All of this can be changed later with a reindex."));

  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      runGuarded(submit, errors, create);
    },
  },
  field("Name", inputs.name), folder.node,
  h("label", { class: "check" }, watch, h("span", {}, "Watch the folder: index what is new or changed, by itself")),
  field("Description", inputs.description, "Optional."),
  settings, errors.node, h("div", { class: "row" }, submit));

  const panel = page ? h("section", { class: "card", "aria-label": "New collection" }, form)
    : h("details", { class: "card panel", open: collectionStore.collections.length === 0 }, h("summary", {}, "New collection"), form);
  return panel;
}

async function watchSources(collectionId) {
  for (const source of await all(["collections", collectionId, "sources"])) {
    await request("PATCH", url(["collections", collectionId, "sources", source.id]), { body: { immediate: true } });
  }
}
