// Shows one operation: progress bar, stage, counts, current file, problems, and a button to cancel or close it.
import { request, url } from "./api.js";
import { errorLine, runGuarded, h } from "./dom.js";
import { plural, shownPath, splitPath } from "./format.js";

const LISTED = 100;
const CONNECTIONS = {
  live: () => "",
  ended: () => "",
  reconnecting,
  unreachable: reconnecting,
  polling: () => "There is no live connection; polling every few seconds instead.",
  stopped: (reason) => `Live progress has stopped: ${reason}`,
};

function reconnecting(reason) {
  return `The live connection was lost; reconnecting…${reason ? ` (${reason})` : ""}`;
}

export class OperationCard {
  #drawn = { errors: 0, warnings: 0, cancelling: false };

  /** `entry` is one of OperationFeed; `onDismiss()` closes the card. */
  constructor({ id, collectionId, state }, collectionStore, onDismiss) {
    this.id = id;
    this.collectionId = collectionId;
    this.state = state;
    this.collectionStore = collectionStore;
    this.title = h("h3");
    this.bar = h("progress", { max: 100, value: 0 });
    this.stage = h("span", { class: "stage" });
    this.percent = h("span", { class: "percent" });
    this.counts = h("p", { class: "counts" });
    this.file = h("p", { class: "file" });
    this.connectionText = h("p", { class: "hint", hidden: true });
    this.reason = h("p", { class: "error", hidden: true });
    this.failures = list(true);
    this.warnings = list(false);
    this.errors = errorLine();
    this.cancel = h("button", { type: "button", class: "quiet", onclick: () => this.#cancel() }, "Cancel");
    this.dismiss = h("button", { type: "button", class: "quiet", hidden: true, onclick: onDismiss }, "Close");
    this.node = h("article", { class: "card operation", "data-operation": id },
      h("div", { class: "row" }, this.title, this.cancel, this.dismiss),
      h("p", { class: "row" }, this.stage, this.percent),
      this.bar, this.counts, this.file, this.connectionText, this.reason,
      this.failures.node, this.warnings.node, this.errors.node);
    this.draw();
  }

  connection(state, reason) {
    this.node.dataset.connection = state;
    const text = CONNECTIONS[state](reason);
    this.connectionText.textContent = text;
    this.connectionText.hidden = !text;
    if (state === "stopped") {
      this.cancel.hidden = true;
      this.dismiss.hidden = false;
    }
  }

  /** Draw the current state; the feed calls it at most every 50 ms. */
  draw() {
    const { state } = this;
    this.#drawTitle();
    this.node.dataset.status = state.status;
    if (this.collectionStore.get(this.collectionId)?.access === "read") this.cancel.hidden = true;
    this.stage.textContent = state.stageText;
    const unknown = !state.ended && state.status !== "queued" && state.percent === 0 && !state.processed;
    if (unknown) this.bar.removeAttribute("value");
    else this.bar.value = state.percent;
    this.percent.textContent = unknown || state.status === "queued" ? "" : `${Math.floor(state.percent)} %`;
    this.counts.textContent = state.countsText;
    const { folder, name } = splitPath(shownPath(state.ended ? "" : state.file || ""));
    this.file.replaceChildren(h("span", { class: "name" }, name), h("span", { class: "folder" }, folder));
    this.file.title = state.file;
    const queued = state.status === "queued";
    this.file.hidden = state.ended || queued || state.type === "remove_source";
    this.counts.hidden = queued || (state.ended && !state.countsText);
    this.reason.textContent = state.status === "failed" ? state.message : "";
    this.reason.hidden = !this.reason.textContent;
    this.#drawLists();
    if (state.ended && this.dismiss.hidden) {
      const focused = this.cancel === document.activeElement;
      this.cancel.hidden = true;
      this.dismiss.hidden = false;
      if (focused) this.dismiss.focus();
    }
  }

  #drawTitle() {
    const title = this.state.title(this.collectionStore.get(this.collectionId)?.name ?? "");
    if (this.title.textContent === title) return;
    this.title.replaceChildren(h("a", { href: `#/collections/${encodeURIComponent(this.collectionId)}` }, title));
    this.bar.setAttribute("aria-label", `Progress: ${title}`);
  }

  #drawLists() {
    const { errors, warnings, historyTruncated } = this.state;
    const drawn = this.#drawn;
    for (const error of errors.slice(drawn.errors, LISTED)) {
      const name = splitPath(error.path).name;
      this.failures.add(name ? [h("strong", { title: error.path }, name), ` ${error.message}`] : [error.message]);
    }
    for (const warning of warnings.slice(drawn.warnings, LISTED)) this.warnings.add([warning]);
    drawn.errors = errors.length;
    drawn.warnings = warnings.length;
    const more = errors.length > LISTED ? `; the first ${LISTED} are listed here, all of them under Documents` : "";
    const truncated = historyTruncated ? "; earlier ones are under Documents" : "";
    this.failures.title(errors.length, plural(errors.length, "problem") + more + truncated);
    this.warnings.title(warnings.length, plural(warnings.length, "warning"));
  }

  #cancel() {
    if (this.#drawn.cancelling) return null;
    return runGuarded(this.cancel, this.errors, async () => {
      await request("DELETE", url(["operations", this.id]));
      this.cancel.textContent = "Cancelling…";
      this.#drawn.cancelling = true;
    });
  }
}

/** A count that expands to a list. */
function list(open) {
  const summary = h("summary");
  const items = h("ul");
  const node = h("details", { class: "problems", open, hidden: true }, summary, items);
  return {
    node,
    add: (content) => items.append(h("li", {}, content)),
    title(count, text) {
      node.hidden = count === 0;
      summary.textContent = text;
    },
  };
}
