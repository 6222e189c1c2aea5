// The operations of a collection, ended and running: a list, newest first, with the failures of each on demand.
import { request, url } from "./api.js";
import { errorLine, runGuarded, h, cachedRows, replaceNodes } from "./dom.js";
import { date, plural, shownPath, splitPath } from "./format.js";
import { OperationState } from "./operation-state.js";
import { entryText } from "./operation-text.js";

const LATEST = 3;
const PAGE = 10;
const MOST = 500;
const FAILURES_PAGE = 50;
const WARNINGS = 20;
const TAGS = { queued: "in line", processing: "running", completed: "done", failed: "failed", cancelled: "cancelled" };

/** `pathOf(sourceId)` returns the path of a source, or "". */
export function operationList(collectionId, pathOf, signal) {
  const list = h("ul", { class: "plain" });
  const empty = h("p", { class: "empty", hidden: true }, "Nothing yet.");
  const errors = errorLine();
  const more = h("button", { type: "button", hidden: true }, "Earlier operations");
  const rows = cachedRows((operation) => operationRow(operation));
  let wanted = LATEST;
  let latest = 0;

  /** Reload as many entries as are shown. */
  async function refresh() {
    const generation = (latest += 1);
    const items = [];
    let cursor = null;
    try {
      do {
        const query = { collection_id: collectionId, cursor, limit: Math.min(wanted - items.length, MOST) };
        const page = await request("GET", url(["operations"], query), { signal });
        items.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor && items.length < wanted);
      if (generation !== latest) return;
      replaceNodes(list, rows(items.map((operation) => ({ ...operation, path: pathOf(operation.source_id) }))));
      empty.hidden = items.length > 0;
      more.hidden = !cursor;
      errors.clear();
    } catch (error) {
      if (error.name !== "AbortError") errors.show(error);
    }
  }

  more.addEventListener("click", () => runGuarded(more, errors, () => {
    wanted += PAGE;
    return refresh();
  }));
  const node = h("section", { class: "card stack", "aria-labelledby": "operations-heading" },
    h("h2", { id: "operations-heading" }, "Operations"), list, empty, errors.node, more);
  return { node, refresh };
}

/** One entry of the list; `collection` {id, name} is shown where operations of several are listed. */
export function operationRow(operation, collection = null) {
  const state = new OperationState();
  state.apply({ type: "current_state", data: operation });
  const { status, settings } = operation;
  const facts = [date(operation.created_at), status === "queued" ? "" : state.countsText];
  if (state.type === "reindex" && status === "completed") {
    facts.push(settings.embedding_model, `chunks of ${plural(settings.chunk_size, "token")}`);
  }
  const outcome = { completed: "", failed: operation.error_message }[status] ?? state.stageText;
  return h("li", { class: "stack tight entry", "data-status": status },
    h("div", { class: "row" },
      h("span", { class: "path" }, collection ? [collectionLink(collection), " · "] : null, entryText(state, operation.path)),
      h("span", { class: "tag status", "data-status": status }, TAGS[status] ?? status)),
    h("p", { class: "hint" }, facts.filter(Boolean).join(" · ")),
    outcome ? h("p", { class: status === "failed" ? "reason" : "hint" }, outcome) : null,
    state.warnings.length ? warnings(operation.id, state.warnings) : null,
    state.failed ? failures(operation.id, state.failed) : null);
}

function collectionLink({ id, name }) {
  return h("a", { href: `#/collections/${encodeURIComponent(id)}` }, name);
}

function warnings(id, sentences) {
  const shown = sentences.slice(0, WARNINGS).map((sentence) => h("li", {}, sentence));
  const rest = sentences.length > WARNINGS ? h("li", {}, `and ${sentences.length - WARNINGS} more`) : null;
  return h("details", { class: "problems" },
    h("summary", { "data-key": `warnings-${id}` }, plural(sentences.length, "warning")), h("ul", {}, shown, rest));
}

/** The files that failed, loaded one page at a time when the list is opened. */
function failures(id, count) {
  const items = h("ul");
  const errors = errorLine();
  const more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => runGuarded(more, errors, read) }, "More");
  let cursor = null;
  let opened = false;

  async function read() {
    const page = await request("GET", url(["operations", id, "failures"], { cursor, limit: FAILURES_PAGE }));
    items.append(...page.items.map(({ path, error }) => {
      const { folder, name } = splitPath(shownPath(path));
      return h("li", {}, h("strong", { title: shownPath(path) }, name), ` ${error.message} `, h("span", { class: "folder" }, folder));
    }));
    cursor = page.next_cursor;
    more.hidden = !cursor;
    opened = true;
  }

  return h("details", {
    class: "problems",
    ontoggle: (event) => { if (event.target.open && !opened) runGuarded(more, errors, read); },
  }, h("summary", { "data-key": `failures-${id}` }, plural(count, "problem")), items, errors.node, more);
}
