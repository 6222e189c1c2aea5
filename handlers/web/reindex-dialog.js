// The dialog that starts a REINDEX; options that are left empty stay as they are.
import { request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { field, h } from "./dom.js";
import { duration, plural } from "./format.js";
import { estimate } from "./time-estimate.js";

const PRECISIONS = [["auto", "auto: what the processor supports best"], ["float32", "float32"], ["bfloat16", "bfloat16"]];

/** How many documents change, and about how long that takes by what was done before. */
function extent({ document_count: indexed, failed_count: failed, skipped_count: skipped, chunk_count: chunks }, signal) {
  const documents = indexed + failed + skipped;
  const time = h("span", {}, "…");
  estimate(documents, signal).then((seconds) => {
    time.textContent = seconds === null ? "How long it takes is known once an operation has run here." : `It takes about ${duration(Math.max(1, seconds))}.`;
  }, (error) => {
    if (error.name !== "AbortError") time.textContent = error.message;
  });
  return h("p", { class: "extent" }, h("strong", {}, `${plural(documents, "document")} with ${plural(chunks, "chunk")} are made anew. `), time);
}

export function openReindex({ collectionStore, activity }, collection, signal) {
  const input = (name, attributes) => h("input", { name, autocomplete: "off", placeholder: `now ${collection[name]}`, ...attributes });
  const model = input("embedding_model", { spellcheck: "false" });
  const size = input("chunk_size", { type: "number", min: 16, max: 100_000, step: 1 });
  const overlap = input("chunk_overlap", { type: "number", min: 0, max: 50_000, step: 1 });
  const precision = h("select", { name: "precision" },
    PRECISIONS.map(([value, label]) => h("option", { value, selected: value === collection.precision }, label)));
  openDialog({
    title: "Reindex",
    content: [
      h("p", { class: "quoted", dir: "auto" }, collection.name), extent(collection, signal),
      h("p", {}, "They are read, split and embedded again. Search stays available, and switches to the new chunks in "
        + "one step once they are validated. If the operation fails or is cancelled, nothing changes."),
      field("Embedding model", model, "A sentence-transformers name or a path; empty: as it is."),
      h("div", { class: "fields" },
        field("Chunk size", size, "Tokens at most."), field("Overlap", overlap, "Tokens that neighbouring chunks share.")),
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
        await collectionStore.refresh();
      },
    },
    signal,
  });
}
