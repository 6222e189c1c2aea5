// What is done with the selected documents: read again, tag, remove.
import { request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { field, h } from "./dom.js";
import { number, plural } from "./format.js";

/**
 * The bar above the table while something is selected. `where()` chooses the documents on the server; `total()` is the
 * length of the list; `done(operationId)` is called when something was started or changed.
 */
export function documentActions(collectionId, selection, { where, total, done, signal }) {
  const text = h("p", { class: "selected-count", role: "status" });
  const button = (name, act, style = "") => h("button", { type: "button", class: style, "data-key": `bulk-${name}`, onclick: act }, name);
  const node = h("div", { class: "selection-bar", role: "toolbar", "aria-label": "Selected documents", hidden: true }, text,
    h("div", { class: "actions" }, button("Retry", retry), button("Tag…", tag), button("Remove…", remove, "danger quiet"), button("Select none", () => selection.clear(), "quiet")));
  const count = () => selection.count(total());
  const send = (action, body) => request("POST", url(["collections", collectionId, "documents", action]), { body: { where: where(), ...body }, signal });

  function draw() {
    node.hidden = count() === 0;
    text.textContent = selection.all ? `All ${number(count())} of this list are selected` : `${plural(count(), "document")} selected`;
  }

  function retry() {
    openDialog({
      title: `Read ${plural(count(), "document")} again?`,
      content: h("p", {}, "Those of them that failed are read again; the others stay as they are."),
      submit: { text: "Retry", action: async () => done((await send("retry")).operation_id) },
      signal,
    });
  }

  function tag() {
    const list = (name) => h("input", { name, autocomplete: "off", placeholder: "current, for review" });
    const [add, drop] = [list("add"), list("remove")];
    const tags = (input) => input.value.split(",").map((each) => each.trim()).filter(Boolean);
    openDialog({
      title: `Tags of ${plural(count(), "document")}`,
      content: [field("Add", add, "Several are divided by commas."), field("Remove", drop, "Tags that users gave them.")],
      submit: {
        text: "Save tags",
        action: async () => {
          if (!tags(add).length && !tags(drop).length) throw new Error("Name a tag to add or to remove.");
          await send("tags", { add: tags(add), remove: tags(drop) });
          done(null);
        },
      },
      signal,
    });
  }

  function remove() {
    const exclude = h("input", { type: "checkbox", name: "exclude", checked: true });
    openDialog({
      title: `Remove ${plural(count(), "document")}?`,
      content: [
        h("p", {}, "They are no longer found, and what was read of them is deleted. Files in folders stay as they are; uploaded files are deleted."),
        h("label", { class: "check" }, exclude, h("span", {}, "Exclude them from later scans, too")),
        h("p", { class: "hint" }, "Otherwise the next scan finds files that still exist again. Excluded files can be taken back in the options of their folder."),
      ],
      submit: { text: "Remove", danger: true, action: async () => done((await send("remove", { exclude: exclude.checked })).operation_id) },
      cancel: "Keep them",
      signal,
    });
  }

  selection.addEventListener("change", draw);
  return { node, draw };
}
