// A collection's documents as a table of any length: filtered, sorted, entered anywhere, with many selected at once.
import { request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { STATES, filtersOf, listFrom, listParameters } from "./document-list-address.js";
import { documentActions } from "./document-actions.js";
import { DocumentPages, isTooLarge } from "./document-pages.js";
import { COLUMNS, REASONS, documentCells, documentHref } from "./document-row.js";
import { DocumentSelection } from "./document-selection.js";
import { errorLine, field, runGuarded, h } from "./dom.js";
import { number, plural, shownPath } from "./format.js";
import { VirtualGrid } from "./virtual-grid.js";

const TYPING_MS = 250;
const MAX_RANGE = 10_000; // documents that the server takes at once
const LARGE = "More than 500,000 documents: they are listed by path, as you scroll. Status and name narrow the list; it cannot be sorted.";
const NARROW = "(max-width: 46rem)";

/** `access`: the user's; with "read" nothing can be changed. `parameters`: of the address. */
export function documentList({ collectionStore, activity }, { id: collectionId, access }, parameters, signal) {
  const mayChange = access !== "read";
  let list = listFrom(parameters);
  const byPath = () => isTooLarge(collectionStore.get(collectionId));
  const pages = new DocumentPages(collectionId, byPath, signal);
  const selection = new DocumentSelection();
  const status = h("select", { name: "status" }, STATES.map(([value, name]) => h("option", { value, selected: value === list.status }, name)));
  const type = h("select", { name: "type" }, h("option", { value: "" }, "all types"));
  const name = h("input", { type: "search", name: "name", autocomplete: "off", placeholder: "part of a name", value: list.name });
  const jump = h("input", { type: "search", name: "jump", autocomplete: "off", placeholder: "beginning of a name" });
  const chips = h("div", { class: "active-filters", hidden: true });
  const counted = h("p", { class: "hint counted", role: "status" });
  const empty = h("p", { class: "empty", hidden: true });
  const errors = errorLine();
  const sorted = h("div", { class: "grid-head", role: "row", "aria-rowindex": 1 });
  const narrow = window.matchMedia(NARROW);
  let typing = 0;

  const grid = new VirtualGrid("Documents", h("div", { role: "rowgroup", class: "grid-top" }, sorted), {
    rowHeight: () => (narrow.matches ? 76 : 56),
    item: (place) => pages.item(place),
    status: (doc) => doc.status,
    build: (doc) => documentCells(collectionId, doc, {
      selectable: mayChange, onRetry: mayChange ? (event) => retryOne(event.currentTarget, doc) : null, onWarnings: () => warnings(doc),
    }),
    isSelected: (place) => {
      const doc = pages.item(place);
      return doc !== null && selection.has(doc);
    },
    onRange: (first, end) => pages.see(first, end),
    onSelect: select,
    onOpen: open,
    onAll: () => mayChange && selection.selectAll(),
    onNone: () => selection.clear(),
  }, signal);
  const where = () => (selection.all ? filtersOf(list, false) : { document_ids: selection.documents.map((doc) => doc.id) });
  const actions = documentActions(collectionId, selection, { where, total: () => pages.total ?? 0, done, signal });

  /** Keep the address in step, without a step in the history for each letter, and read the list. */
  function show(changes) {
    list = { ...list, ...changes };
    const [path] = location.hash.split("?");
    history.replaceState(history.state, "", `${path}${listParameters(list)}`);
    selection.clear();
    const { sort, order } = list;
    grid.node.setAttribute("aria-busy", "true");
    pages.show({ ...filtersOf(list), sort: sort || "path", order: order || "ascending" });
    grid.reset();
    drawHead();
    drawChips();
  }

  function drawHead() {
    const current = list.sort || "path";
    const heads = COLUMNS.map(([kind, text, key]) => {
      const here = current === key;
      const direction = list.order === "descending" ? "descending" : "ascending";
      return h("div", { role: "columnheader", class: `cell-${kind}`, "aria-sort": here ? direction : "none" },
        h("button", { type: "button", class: "quiet", "data-sort": key, disabled: byPath(), onclick: () => sortBy(key) }, text,
          h("span", { class: "arrow", "aria-hidden": "true" }, here ? (direction === "ascending" ? " ↑" : " ↓") : "")));
    });
    const focused = sorted.contains(document.activeElement) ? document.activeElement.dataset.sort : null;
    sorted.replaceChildren(...(mayChange ? [h("div", { role: "columnheader", class: "cell-select" }, h("span", { class: "unseen" }, "Select"))] : []), ...heads);
    if (focused) sorted.querySelector(`[data-sort="${focused}"]`)?.focus();
  }

  /** First one way, then the other, then by path again. */
  function sortBy(key) {
    const largeFirst = ["size", "changed", "chunks"].includes(key);
    const ways = largeFirst ? ["descending", ""] : ["", "descending"];
    if (list.sort !== key) show({ sort: key, order: ways[0] });
    else if (list.order === ways[0]) show({ sort: key, order: ways[1] });
    else show({ sort: "", order: "" });
  }

  function drawChips() {
    const chip = (text, change) => h("button", { type: "button", class: "chip", "aria-label": `Without the filter ${text}`, onclick: () => show(change) }, text, h("span", { "aria-hidden": "true" }, " ×"));
    const found = [list.folder && chip(`in ${shownPath(list.folder)}`, { folder: "" }), list.reason && chip(REASONS[list.reason] ?? list.reason, { reason: "" })].filter(Boolean);
    chips.replaceChildren(...found);
    chips.hidden = found.length === 0;
  }

  function drawState() {
    grid.node.removeAttribute("aria-busy");
    const total = pages.total ?? 0;
    const filtered = Object.keys(filtersOf(list)).length > 0;
    const large = byPath();
    jumpForm.hidden = type.disabled = large;
    if (large) counted.textContent = LARGE;
    else counted.textContent = total ? `${plural(total, "document")}${filtered ? " in this list" : ""}` : "";
    empty.hidden = total > 0;
    grid.node.hidden = total === 0;
    if (filtered) empty.textContent = "No document matches this filter.";
    else if (collectionStore.get(collectionId)?.active_operation_id) empty.textContent = "The documents are being read; they appear here.";
    else empty.textContent = "No documents yet. Upload files or add a folder above.";
    grid.setTotal(total);
    actions.draw();
  }

  async function select(from, to) {
    if (!mayChange) return;
    if (from === to) {
      const doc = pages.item(from);
      if (doc) selection.toggle(doc);
      return;
    }
    try {
      if (to - from >= MAX_RANGE) throw new Error(`At most ${number(MAX_RANGE)} documents can be selected one by one; Ctrl+A selects all of the list.`);
      selection.add(await pages.range(from, to));
    } catch (error) {
      errors.show(error);
    }
  }

  function open(place) {
    const doc = pages.item(place);
    if (doc?.status === "indexed") location.hash = documentHref(collectionId, doc);
    else if (doc) warnings(doc);
  }

  function warnings(doc) {
    const found = [doc.error?.message, ...(doc.quality?.warnings ?? [])].filter(Boolean);
    openDialog({
      title: doc.name,
      content: [h("p", { class: "folder", dir: "auto" }, shownPath(doc.path)),
        found.length ? h("ul", { class: "warnings" }, found.map((each) => h("li", {}, each))) : h("p", {}, `It is ${doc.status}.`)],
      submit: { text: "Close", action: () => {} },
      cancel: null,
      signal,
    });
  }

  function retryOne(button, doc) {
    return runGuarded(button, errors, async () => {
      const { operation_id: operation } = await request("POST", url(["collections", collectionId, "documents", doc.id, "retry"]), { body: {} });
      done(operation);
    });
  }

  async function done(operation) {
    selection.clear();
    if (operation) activity.follow(operation, collectionId);
    pages.refresh();
    await collectionStore.refreshQuietly();
  }

  async function goTo(text) {
    errors.clear();
    if (!text) return;
    try {
      const place = await pages.find(text);
      if (place === null) counted.textContent = `No document of this list has “${text}” in its name.`;
      else grid.goTo(place);
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  /** The types that there are, from the statistics. */
  function setTypes(types) {
    const values = types.map((each) => each.value);
    if (list.type && !values.includes(list.type)) values.unshift(list.type);
    type.replaceChildren(h("option", { value: "" }, "all types"), ...values.map((value) => h("option", { value }, value)));
    type.value = list.type;
  }

  const jumpForm = h("form", { class: "jump", onsubmit: (event) => {
    event.preventDefault();
    goTo(jump.value.trim());
  } }, h("div", { class: "with-button" }, field("Go to", jump), h("button", {}, "Go")));

  status.addEventListener("change", () => show({ status: status.value, reason: "" }));
  type.addEventListener("change", () => show({ type: type.value }));
  name.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => show({ name: name.value.trim() }), TYPING_MS);
  });
  selection.addEventListener("change", () => grid.draw());
  pages.addEventListener("change", drawState);
  pages.addEventListener("error", ({ detail }) => {
    errors.show(detail);
    if (detail.status === 404) collectionStore.refreshQuietly(); // the page says so if the collection is gone
  });
  narrow.addEventListener("change", () => grid.draw(), { signal });
  signal.addEventListener("abort", () => clearTimeout(typing));
  setTypes([]);
  const node = h("section", { class: "card stack documents", "aria-labelledby": "documents-heading" },
    h("div", { class: "row" }, h("h2", { id: "documents-heading" }, "Documents"), counted),
    h("div", { class: "filters" }, field("Status", status), field("Type", type), field("Name", name), jumpForm),
    chips, errors.node, actions.node, grid.node, empty);
  show({});
  return {
    node,
    refresh: () => pages.refresh(),
    setTypes,
    /** Show other documents: those with this state, reason, type or folder. */
    filter(changes) {
      status.value = changes.status ?? "";
      name.value = "";
      show({ status: "", name: "", type: "", folder: "", reason: "", ...changes });
      type.value = list.type;
      node.scrollIntoView({ block: "start" });
    },
  };
}
