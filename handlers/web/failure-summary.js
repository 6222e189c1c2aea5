// What could not be indexed, by reason: how many, to see them, and to read them again.
import { request, url } from "./api.js";
import { REASONS } from "./document-row.js";
import { errorLine, h, runGuarded } from "./dom.js";
import { number, plural } from "./format.js";

const ADVICE = {
  unreadable: "gone, or not permitted to be read", unsupported: "no reader knows the format", corrupt: "broken, encrypted, or not what the name says",
  too_large: "larger than documents.max_file_bytes", timeout: "the reader took longer than its limit", worker_died: "the reader outgrew its memory or crashed",
  internal: "an error in the program: see the server's log", empty: "no text in them; nothing is wrong",
};

/** `onFilter(changes)` shows documents in the table; `onStarted(operation)`. Returns {node, draw(statistics)}. */
export function failureSummary(id, { mayRetry, onFilter, onStarted, signal }) {
  const list = h("ul", { class: "plain" });
  const errors = errorLine();
  const heading = h("h2", { id: "failures-heading" });
  const retryAll = h("button", { type: "button", "data-key": "retry-all", onclick: () => retry(retryAll, null) });
  const node = h("section", { class: "card stack failures", "aria-labelledby": "failures-heading", hidden: true }, h("div", { class: "row" }, heading, retryAll), list, errors.node);

  /** Read those again that `where` chooses; null: all that failed. */
  function retry(button, where) {
    const [parts, body] = where ? [["documents", "retry"], { where }] : [["retry"], {}];
    return runGuarded(button, errors, async () => {
      onStarted((await request("POST", url(["collections", id, ...parts]), { body, signal })).operation_id);
    });
  }

  function row([reason, count]) {
    const failed = reason !== "empty";
    return h("li", { class: "row failure", "data-reason": reason },
      h("p", {}, h("strong", { class: failed ? "is-bad" : "" }, number(count)), ` ${REASONS[reason] ?? reason}`, h("span", { class: "hint" }, ` — ${ADVICE[reason] ?? ""}`)),
      h("div", { class: "actions" },
        h("button", { type: "button", class: "quiet", "data-key": `show-${reason}`, "aria-label": `Show: ${REASONS[reason] ?? reason}`, onclick: () => onFilter({ reason }) }, "Show"),
        failed && mayRetry ? h("button", { type: "button", class: "quiet", "data-key": `retry-${reason}`, "aria-label": `Retry: ${REASONS[reason] ?? reason}`,
          onclick: (event) => retry(event.currentTarget, { reason }) }, "Retry") : null));
  }

  return {
    node,
    draw({ reasons, statuses }) {
      const found = Object.entries(reasons).sort((a, b) => (a[0] === "empty") - (b[0] === "empty") || b[1] - a[1]);
      const failed = statuses.failed ?? 0;
      node.hidden = found.length === 0;
      heading.textContent = failed ? `${plural(failed, "document")} could not be indexed` : `${plural(statuses.skipped ?? 0, "document")} skipped`;
      retryAll.textContent = `Retry ${number(failed)} failed`;
      retryAll.hidden = !mayRetry || failed === 0;
      const focused = document.activeElement?.dataset.key;
      const had = node.contains(document.activeElement);
      list.replaceChildren(...found.map(row));
      if (had && focused) node.querySelector(`[data-key="${focused}"]`)?.focus();
    },
  };
}
