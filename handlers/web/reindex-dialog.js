// The dialog that has a collection cut and embedded anew; what is left empty stays as it is.
import { request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { field, h } from "./dom.js";

const PRECISIONS = [["auto", "what the machine does best"], ["float32", "float32"], ["bfloat16", "bfloat16"]];

export function openReindex({ library, activity }, collection, signal) {
  const input = (name, rest) => h("input", { name, autocomplete: "off", placeholder: `now ${collection[name]}`, ...rest });
  const model = input("embedding_model", { spellcheck: "false" });
  const size = input("chunk_size", { type: "number", min: 16, max: 100_000, step: 1 });
  const overlap = input("chunk_overlap", { type: "number", min: 0, max: 50_000, step: 1 });
  const precision = h("select", { name: "precision" },
    PRECISIONS.map(([value, words]) => h("option", { value, selected: value === collection.precision }, words)));
  openDialog({
    title: `Reindex “${collection.name}”`,
    content: [
      h("p", {}, "Its documents are read, cut and embedded anew. Searching goes on meanwhile, and changes over to the new "
        + "passages in one step, once they are checked. Cancelled or failed, it leaves everything as it is."),
      field("Embedding model", model, "A sentence-transformers name or a path; empty: as it is."),
      h("div", { class: "fields" },
        field("Passage size", size, "Tokens at most."), field("Overlap", overlap, "Tokens that neighbours share.")),
      field("Precision", precision),
    ],
    submit: {
      text: "Reindex",
      action: async () => {
        const body = { precision: precision.value };
        if (model.value.trim()) body.embedding_model = model.value.trim();
        if (size.value) body.chunk_size = Number(size.value);
        if (overlap.value) body.chunk_overlap = Number(overlap.value);
        const { operation_id: operation } = await request("POST", url(["collections", collection.id, "reindex"]), { body });
        activity.follow(operation, collection.id);
        await library.refresh();
      },
    },
    signal,
  });
}
