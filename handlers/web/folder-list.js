// A collection's folders and other sources: each with its last scan, its watch settings, and its actions.
import { all, request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { errorLine, runGuarded, h, cachedRows, replaceNodes } from "./dom.js";
import { folderField } from "./folder-field.js";
import { date, isUploads, number, plural, shownPath } from "./format.js";
import { openWatching, watchingText } from "./watch-dialog.js";

const KINDS = { git: "git repository", imap: "mailbox", web: "web site" };

/** Returns {node, refresh, pathOf}; `pathOf(id)` is a source's path or "". `access`: the user's; with "read" they are only shown. */
export function folderList({ collectionStore, activity }, { id, name, access }, signal) {
  const mayChange = access !== "read";
  const list = h("ul", { class: "plain" });
  const empty = h("p", { class: "empty", hidden: true }, "No folder yet. Add one to have its documents indexed.");
  const errors = errorLine();
  const scanAll = h("button", { type: "button", hidden: true, onclick: () => scan(scanAll) }, "Scan all again");
  const rows = cachedRows(row);
  let sources = [];

  async function refresh() {
    try {
      const read = await all(["collections", id, "sources"]);
      if (signal.aborted) return;
      sources = read;
      empty.hidden = sources.length > 0;
      scanAll.hidden = !mayChange || sources.every((source) => source.removing);
      replaceNodes(list, rows(sources));
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  /** Start an operation, and show it. */
  async function start(method, parts, body) {
    const { operation_id: operation } = await request(method, url(["collections", id, ...parts]), { body });
    activity.follow(operation, id);
    await collectionStore.refresh();
  }

  function scan(button, source) {
    return runGuarded(button, errors, () => start("POST", ["append"], source ? { source_id: source.id } : {}));
  }

  function row(source) {
    const kind = source.kind === "folder" ? "" : KINDS[source.kind] ?? source.kind;
    const facts = [kind, plural(source.document_count, "document"),
      source.scanned_at ? `scanned ${date(source.scanned_at)}` : "not scanned to its end yet", watchingText(source),
      source.exclude.length ? `passes over ${source.exclude.join(", ")}` : "", source.excluded_count ? `${number(source.excluded_count)} excluded` : "",
      source.server ? `by servers with the label ${source.server}` : ""];
    const button = (key, label, act, style = "quiet") => h("button", {
      type: "button", class: style, "data-key": `${key}-${source.id}`, "aria-label": `${label} ${shownPath(source.path)}`, onclick: act,
    }, label);
    const actions = h("div", { class: "actions" },
      isUploads(source.path) ? null : [button("scan", "Scan again", (event) => scan(event.currentTarget, source)),
        button("watch", "Watch…", () => openWatching(id, source, { signal, onChanged: refresh })),
        button("options", "Options…", (event) => options(event.currentTarget, source))],
      button("remove", "Remove…", () => remove(source), "danger quiet"));
    return h("li", { class: "row source" },
      h("div", { class: "stack tight" }, h("p", { class: "path" }, shownPath(source.path)),
        h("p", { class: "hint" }, facts.filter(Boolean).join(" · "))),
      source.removing ? h("span", { class: "tag" }, "being removed") : mayChange && actions);
  }

  function options(button, source) {
    return runGuarded(button, errors, async () => {
      const { items } = source.kind === "folder" ? { items: [] } : await request("GET", url(["source-kinds"]), { signal });
      const { openSourceOptions } = await import("./source-dialog.js");
      openSourceOptions(id, source, items.find((each) => each.kind === source.kind), { signal, onChanged: refresh });
    });
  }

  function remove(source) {
    const others = sources.length > 1 ? " Documents that another folder of the collection also contains stay." : "";
    openDialog({
      title: `Remove ${shownPath(source.path)}?`,
      content: [
        h("p", {}, `Its ${plural(source.document_count, "document")} and their chunks are removed from “${name}”, `
          + `and are no longer found.${others}`),
        h("p", {}, isUploads(source.path) ? "The uploaded files themselves are deleted."
          : source.kind === "folder" ? "The files in the folder stay as they are; it can be added again."
          : "What it is fetched from stays as it is; it can be added again."),
      ],
      submit: { text: source.kind === "folder" ? "Remove folder" : "Remove source", danger: true, action: () => start("DELETE", ["sources", source.id]) },
      cancel: "Keep it",
      signal,
    });
  }

  const node = h("section", { class: "card stack", "aria-labelledby": "folders-heading" },
    h("div", { class: "row" }, h("h2", { id: "folders-heading" }, "Folders"), scanAll),
    list, empty, mayChange ? addForm() : null, errors.node);
  return { node, refresh, pathOf: (sourceId) => shownPath(sources.find((source) => source.id === sourceId)?.path ?? "") };

  function addForm() {
    const folder = folderField({ label: "Add a folder", required: true, onModel: () => {}, signal });
    const path = folder.input;
    const submit = h("button", {}, "Add folder");
    const others = h("button", { type: "button", class: "quiet", "data-key": "add-source", onclick: addOther }, "Add another source…");
    return h("form", {
      onsubmit: (event) => {
        event.preventDefault();
        runGuarded(submit, errors, async () => {
          await start("POST", ["sources"], { path: path.value.trim() });
          path.value = "";
          folder.reset();
        });
      },
      class: "stack tight",
    }, folder.node, h("div", { class: "row" }, submit, others));

    function addOther() {
      return runGuarded(others, errors, async () => {
        const { items } = await request("GET", url(["source-kinds"]), { signal });
        const kinds = items.filter((each) => each.kind !== "folder");
        if (!kinds.length) throw new Error("This server takes folders only (connectors.kinds).");
        const { openSourceDialog } = await import("./source-dialog.js");
        openSourceDialog(kinds, { signal, add: (kind, options) => start("POST", ["sources"], { kind, options }) });
      });
    }
  }
}
