// A collection's documents in pages, filtered by status and name; failed ones with the reason and a retry button.
import { request, url } from "./api.js";
import { errorLine, field, runGuarded, h, replaceNodes } from "./dom.js";
import { bytes, date, folderOf, number, plural, shownPath } from "./format.js";

const PAGE = 50;
const MAX_PAGE = 500;
const TYPING_MS = 250;
const STATES = [["", "all"], ["indexed", "indexed"], ["failed", "failed"], ["skipped", "skipped"],
  ["warned", "with warnings"], ["pending", "pending"]];

/** `access`: the user's; with "read" failed documents cannot be retried. */
export function documentList({ collectionStore, activity }, { id: collectionId, access }, signal) {
  const mayRetry = access !== "read";
  const state = h("select", { name: "status" }, STATES.map(([value, name]) => h("option", { value }, name)));
  const name = h("input", { type: "search", name: "name", autocomplete: "off", placeholder: "part of a name" });
  const list = h("ul", { class: "documents" });
  const empty = h("p", { class: "empty", hidden: true });
  const errors = errorLine();
  const more = h("button", { type: "button", hidden: true }, "More documents");
  const retryAll = h("button", { type: "button", hidden: true, onclick: () => retry(retryAll, []) });
  let loading = new AbortController();
  let shown = 0;
  let cursor = null;
  let typing = 0;

  /** Reload as many documents as are shown, at least one page. */
  async function refresh() {
    loading.abort();
    loading = new AbortController();
    const { signal: current } = loading;
    try {
      const wanted = Math.max(PAGE, shown);
      const items = [];
      let next = null;
      do {
        const page = await read(next, Math.min(wanted - items.length, MAX_PAGE), current);
        items.push(...page.items);
        next = page.next_cursor;
      } while (next && items.length < wanted);
      replaceNodes(list, items.map(row));
      shown = items.length;
      showEnd(next);
      errors.clear();
    } catch (error) {
      if (error.name !== "AbortError") errors.show(error);
    }
  }

  async function loadMore() {
    const page = await read(cursor, PAGE, loading.signal);
    list.append(...page.items.map(row));
    shown += page.items.length;
    showEnd(page.next_cursor);
  }

  function read(from, limit, current) {
    const filter = state.value === "warned" ? { warned: true } : { status: state.value };
    const query = { ...filter, name: name.value.trim(), cursor: from, limit };
    return request("GET", url(["collections", collectionId, "documents"], query), { signal: current });
  }

  function showEnd(next) {
    list.removeAttribute("aria-busy");
    cursor = next;
    more.hidden = !next;
    empty.hidden = shown > 0;
    if (state.value || name.value.trim()) empty.textContent = "No document matches this filter.";
    else if (collectionStore.get(collectionId)?.active_operation_id) empty.textContent = "The documents are being read; they appear here.";
    else empty.textContent = "No documents yet. Upload files or add a folder above.";
  }

  /** Retry one document, or all failed ones. */
  function retry(button, parts) {
    return runGuarded(button, errors, async () => {
      const { operation_id: operation } = await request("POST", url(["collections", collectionId, ...parts, "retry"]), { body: {} });
      activity.follow(operation, collectionId);
      await collectionStore.refresh();
    });
  }

  function drawRetryAll() {
    const failed = collectionStore.get(collectionId)?.failed_count ?? 0;
    retryAll.textContent = `Retry ${number(failed)} failed`;
    retryAll.hidden = !mayRetry || failed === 0;
  }

  function row(doc) {
    const href = `#/${["collections", collectionId, "documents", doc.id].map(encodeURIComponent).join("/")}`;
    const facts = [bytes(doc.size), date(doc.modified_at)];
    if (doc.chunk_count) facts.push(plural(doc.chunk_count, "chunk"));
    if (doc.part_count !== null) facts.push(`${plural(doc.part_count, "document")} inside`);
    if (doc.missing) facts.push("its file was not found by the last scan");
    if (doc.due && doc.status !== "pending") facts.push("to be read again");
    const warnings = doc.quality?.warnings ?? [];
    const again = doc.status === "failed" && !doc.due && mayRetry && h("button", {
      type: "button", class: "quiet", "data-key": `retry-${doc.id}`, "aria-label": `Retry ${doc.name}`,
      onclick: (event) => retry(event.currentTarget, ["documents", doc.id]),
    }, "Retry");
    return h("li", { "data-status": doc.status },
      h("div", { class: "row" },
        h("span", { class: "path", title: shownPath(doc.path) },
          doc.status === "indexed" ? h("a", { href }, doc.name) : h("span", { class: "name" }, doc.name),
          h("span", { class: "folder" }, folderOf(doc))),
        h("span", { class: "tag status", "data-status": doc.status }, doc.status)),
      h("p", { class: "hint" }, facts.filter(Boolean).join(" · ")),
      warnings.length ? h("details", { class: "warnings" }, h("summary", {}, plural(warnings.length, "warning")), h("ul", {}, warnings.map((each) => h("li", {}, each)))) : null,
      doc.error ? h("div", { class: "row" }, h("p", { class: "reason" }, doc.error.message), again) : null);
  }

  function restart() {
    shown = 0;
    list.setAttribute("aria-busy", "true");
    refresh();
  }

  state.addEventListener("change", restart);
  name.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(restart, TYPING_MS);
  });
  more.addEventListener("click", () => runGuarded(more, errors, loadMore));
  signal.addEventListener("abort", () => {
    clearTimeout(typing);
    loading.abort();
  });
  const node = h("section", { class: "card stack", "aria-labelledby": "documents-heading" },
    h("div", { class: "row" }, h("h2", { id: "documents-heading" }, "Documents"), retryAll),
    h("div", { class: "filters" }, field("State", state), field("Name", name)),
    errors.node, list, empty, more);
  collectionStore.addEventListener("change", drawRetryAll, { signal });
  drawRetryAll();
  return { node, refresh };
}
