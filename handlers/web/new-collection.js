// The form that creates a collection and, given a folder, starts its INDEX.
import { request, url } from "./api.js";
import { errorLine, field, runGuarded, h } from "./dom.js";

export function newCollection({ collectionStore, activity }, signal) {
  const text = (name, placeholder, required = false) => h("input", { name, placeholder, required, autocomplete: "off" });
  const integer = (name, min) => h("input", { name, type: "number", min, step: 1, placeholder: "the server's default" });
  const inputs = {
    name: text("name", "Manuals", true),
    source_path: text("source_path", "/srv/documents/manuals"),
    description: text("description"),
    embedding_model: text("embedding_model", "the server's default"),
    chunk_size: integer("chunk_size", 16),
    chunk_overlap: integer("chunk_overlap", 0),
  };
  const errors = errorLine();
  const submit = h("button", { class: "primary" }, "Create collection");

  const advice = h("p", { class: "hint", role: "status", hidden: true });

  // Only a hint: what is wrong with the folder, the server says when the collection is created.
  async function advise() {
    advice.hidden = true;
    const path = inputs.source_path.value.trim();
    if (!path) return;
    const found = await request("POST", url(["folders", "languages"]), { body: { path }, signal }).catch(() => null);
    const model = found?.recommended_model;
    if (!model || path !== inputs.source_path.value.trim() || inputs.embedding_model.value.trim()) return;
    const use = h("button", {
      type: "button",
      onclick: () => {
        inputs.embedding_model.value = model;
        advice.hidden = true;
      },
    }, `Use “${model}”`);
    const languages = Object.keys(found.languages).join(", ");
    advice.replaceChildren(`Most documents here are not in English (${languages}). The model “${model}” understands them. `, use);
    advice.hidden = false;
  }
  inputs.source_path.addEventListener("change", advise);

  async function create() {
    const body = {};
    for (const [name, input] of Object.entries(inputs)) {
      const value = input.value.trim();
      if (value) body[name] = input.type === "number" ? Number(value) : value;
    }
    const collection = await request("POST", url(["collections"]), { body, signal });
    form.reset();
    advice.hidden = true;
    panel.open = false;
    await collectionStore.refresh();
    if (collection.operation_id) activity.follow(collection.operation_id, collection.id);
  }

  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      runGuarded(submit, errors, create);
    },
  },
  h("div", { class: "fields" },
    field("Name", inputs.name),
    field("Folder", inputs.source_path, "A path on the server. Its documents are read, never changed.")),
  advice,
  field("Description", inputs.description, "Optional."),
  h("details", {}, h("summary", {}, "Model and chunks"),
    h("div", { class: "fields" },
      field("Embedding model", inputs.embedding_model, "A sentence-transformers name or a path, or multilingual."),
      field("Chunk size", inputs.chunk_size, "Tokens at most."),
      field("Overlap", inputs.chunk_overlap, "Tokens that neighbouring chunks share."))),
  errors.node, h("div", { class: "row" }, submit));

  const panel = h("details", { class: "card panel", open: collectionStore.collections.length === 0 },
    h("summary", {}, "New collection"), form);
  return panel;
}
