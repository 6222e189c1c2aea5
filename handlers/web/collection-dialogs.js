// The dialogs that change a whole collection: its name, and its end.
import { request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { field, h } from "./dom.js";
import { countsText } from "./collection-list.js";

const MAX_NAME = 200;

export function renameCollection({ collectionStore }, collection, signal) {
  const name = h("input", { name: "name", required: true, maxlength: MAX_NAME, value: collection.name, autocomplete: "off", dir: "auto" });
  const description = h("textarea", { name: "description", rows: 3, maxlength: 10_000, dir: "auto" }, collection.description);
  openDialog({
    title: "Name and description",
    content: [field("Name", name), field("Description", description, "Optional: what it holds, for those who search it.")],
    submit: {
      text: "Save",
      action: async () => {
        await request("PATCH", url(["collections", collection.id]), { body: { name: name.value.trim(), description: description.value.trim() } });
        await collectionStore.refresh();
      },
    },
    signal,
  });
}

/** The name must be typed: what is deleted cannot be had back. */
export function deleteCollection({ collectionStore }, collection, signal) {
  const typed = h("input", { name: "confirm", required: true, autocomplete: "off", spellcheck: "false", dir: "auto" });
  openDialog({
    title: "Delete this collection?",
    content: [
      h("p", { class: "quoted", dir: "auto" }, collection.name),
      h("p", {}, `${countsText(collection)}: its index and everything read from its documents are deleted, for everybody. `
        + "The files in its folders stay as they are; uploaded files are deleted."),
      field("Type its name to delete it", typed),
    ],
    submit: {
      text: "Delete collection",
      danger: true,
      action: async () => {
        if (typed.value.trim() !== collection.name.trim()) throw new Error("That is not its name: type it as it stands above.");
        await request("DELETE", url(["collections", collection.id]));
        if (location.hash.startsWith(`#/collections/${encodeURIComponent(collection.id)}`)) location.hash = "#/collections";
        await collectionStore.refresh();
      },
    },
    cancel: "Keep it",
    signal,
  });
}
