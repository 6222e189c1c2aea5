// A collection's folders: each with when it was scanned, when it will be again, and what can be done with it.
import { all, request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { errorLine, field, guarded, h, keptRows, refill } from "./dom.js";
import { date, plural } from "./format.js";
import { openWatching, watchingWords } from "./watch-dialog.js";

/** `node`, `refresh()`, and `pathOf(id)` of the folders that there are. `owner` may change them. */
export function folderList({ library, activity }, { id, name, owner }, signal) {
  const list = h("ul", { class: "plain" });
  const empty = h("p", { class: "empty", hidden: true }, "No folder yet. Add one to have its documents indexed.");
  const errors = errorLine();
  const again = h("button", { type: "button", hidden: true, onclick: () => scan(again) }, "Scan all again");
  const rows = keptRows(row);
  let sources = [];

  async function refresh() {
    try {
      const read = await all(["collections", id, "sources"]);
      if (signal.aborted) return;
      sources = read;
      empty.hidden = sources.length > 0;
      again.hidden = !owner || sources.every((source) => source.removing);
      refill(list, rows(sources));
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  /** Ask for an operation, and show it. */
  async function begin(method, parts, body) {
    const { operation_id: operation } = await request(method, url(["collections", id, ...parts]), { body });
    activity.follow(operation, id);
    await library.refresh();
  }

  function scan(button, source) {
    return guarded(button, errors, () => begin("POST", ["append"], source ? { source_id: source.id } : {}));
  }

  function row(source) {
    const facts = [plural(source.document_count, "document"),
      source.scanned_at ? `scanned ${date(source.scanned_at)}` : "not scanned to its end yet", watchingWords(source)];
    const button = (key, words, act, more = "quiet") => h("button", {
      type: "button", class: more, "data-key": `${key}-${source.id}`, "aria-label": `${words} ${source.path}`, onclick: act,
    }, words);
    const actions = h("div", { class: "actions" },
      button("scan", "Scan again", (event) => scan(event.currentTarget, source)),
      button("watch", "Watch…", () => openWatching(id, source, { signal, onChanged: refresh })),
      button("remove", "Remove…", () => remove(source), "danger quiet"));
    return h("li", { class: "row source" },
      h("div", { class: "stack tight" }, h("p", { class: "path" }, source.path),
        h("p", { class: "hint" }, facts.filter(Boolean).join(" · "))),
      source.removing ? h("span", { class: "tag" }, "being removed") : owner && actions);
  }

  function remove(source) {
    const others = sources.length > 1 ? " Those that another folder of the collection holds as well stay." : "";
    openDialog({
      title: `Remove ${source.path}?`,
      content: [
        h("p", {}, `Its ${plural(source.document_count, "document")} and their passages leave “${name}”, `
          + `and are not found any more.${others}`),
        h("p", {}, "The files in the folder stay as they are; it can be added again."),
      ],
      submit: { text: "Remove folder", danger: true, action: () => begin("DELETE", ["sources", source.id]) },
      cancel: "Keep it",
      signal,
    });
  }

  const node = h("section", { class: "card stack", "aria-labelledby": "folders-heading" },
    h("div", { class: "row" }, h("h2", { id: "folders-heading" }, "Folders"), again),
    list, empty, owner ? addition() : null, errors.node);
  return { node, refresh, pathOf: (sourceId) => sources.find((source) => source.id === sourceId)?.path ?? "" };

  function addition() {
    const path = h("input", { name: "path", required: true, placeholder: "/srv/documents/more", autocomplete: "off" });
    const submit = h("button", {}, "Add folder");
    return h("form", {
      onsubmit: (event) => {
        event.preventDefault();
        guarded(submit, errors, async () => {
          await begin("POST", ["sources"], { path: path.value.trim() });
          path.value = "";
        });
      },
    }, h("div", { class: "bar" }, field("Add a folder", path), submit));
  }
}
