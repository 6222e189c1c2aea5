// The indicator of running operations in the header, and the panel that it opens: one card for each.
// Nothing opens by itself, and a scan of a watched folder that has ended is not listed: the page Operations has it.
import { h } from "./dom.js";
import { plural } from "./format.js";
import { icon, svg } from "./icons.js";
import { meanPercent } from "./operation-state.js";

const RADIUS = 15;
const AROUND = 2 * Math.PI * RADIUS;
const UNKNOWN = 0.25; // the part of the ring that turns while no percentage is known

export class Activity {
  #cards = new Map();
  #announced = new Map();
  #failed = false; // an operation has failed since the panel was open

  /** `feed` is an OperationFeed; `announce(text)` goes to screen readers. */
  constructor(feed, announce) {
    this.feed = feed;
    this.announce = announce;
    this.done = svg("circle", { class: "done", cx: 16, cy: 16, r: RADIUS, "stroke-dasharray": AROUND, "stroke-dashoffset": AROUND });
    this.number = h("span", { class: "number", "aria-hidden": "true" });
    this.button = h("button", { type: "button", class: "indicator", popovertarget: "activity", "aria-label": "Operations" },
      svg("svg", { viewBox: "0 0 32 32", class: "ring", "aria-hidden": "true" }, svg("circle", { class: "way", cx: 16, cy: 16, r: RADIUS }), this.done),
      icon("operations"), this.number);
    this.list = h("div", {});
    this.empty = h("p", { class: "empty" }, "Nothing runs, and nothing waits.");
    this.summary = h("span", { class: "hint" });
    this.panel = h("section", { class: "sheet activity", id: "activity", popover: true, "aria-label": "Running operations" },
      h("header", {}, h("h2", {}, "Running operations"), this.summary), this.list, this.empty,
      h("footer", {}, h("a", { href: "#/operations" }, "All operations")));
    this.panel.addEventListener("toggle", ({ newState }) => {
      if (newState === "open") this.#failed = false;
      this.#drawIndicator();
    });
    this.button.addEventListener("animationend", () => delete this.button.dataset.begun);
    feed.addEventListener("change", async ({ detail }) => {
      this.#drawIndicator();
      try {
        const { OperationCard } = await import("./operation-card.js");
        for (const entry of detail) if (feed.entries.get(entry.id) === entry) this.#draw(entry, OperationCard);
      } catch (error) {
        console.info(error);
        this.empty.textContent = "The list could not be loaded. Load the page again to see it.";
      }
      this.#drawIndicator();
    });
    feed.addEventListener("ended", ({ detail }) => this.#onEnded(detail));
    feed.addEventListener("removed", ({ detail }) => this.#remove(detail.id));
    this.#drawIndicator();
  }

  /** Note an operation that this page has just started. */
  follow(id, collectionId) {
    this.feed.follow(id, collectionId);
    this.button.dataset.begun = "";
  }

  #draw(entry, OperationCard) {
    if (entry.state.ended && isAutomatic(entry)) {
      this.#remove(entry.id);
      return;
    }
    let card = this.#cards.get(entry.id);
    if (!card) {
      card = new OperationCard(entry, this.feed.collectionStore, () => this.feed.remove(entry.id));
      this.#cards.set(entry.id, card);
      this.list.append(card.node);
    }
    card.connection(entry.connection.state, entry.connection.reason);
    card.draw();
    this.#announce(entry, card);
  }

  #announce(entry, card) {
    const { state } = entry;
    const text = `${card.title.textContent}: ${state.stageText}`;
    if (text === this.#announced.get(entry.id) || isAutomatic(entry)) return;
    this.#announced.set(entry.id, text);
    this.announce(state.ended ? `${text}. ${state.countsText}` : text);
  }

  #remove(id) {
    const node = this.#cards.get(id)?.node;
    const focused = node?.contains(document.activeElement);
    node?.remove();
    this.#cards.delete(id);
    this.#announced.delete(id);
    this.#drawIndicator();
    if (focused) this.panel.querySelector("button:not([hidden]), a")?.focus();
  }

  #onEnded({ state }) {
    if (state.status === "failed" && !this.panel.matches(":popover-open")) this.#failed = true;
  }

  #drawIndicator() {
    const states = [...this.feed.entries.values()].map(({ state }) => state).filter(({ ended }) => !ended);
    const running = states.filter(({ status }) => status !== "queued");
    const percent = meanPercent(running);
    const { dataset } = this.button;
    toggle(dataset, "running", states.length > 0);
    toggle(dataset, "many", states.length > 1);
    toggle(dataset, "failed", this.#failed);
    this.number.textContent = this.#failed ? "!" : states.length;
    const unknown = percent === 0;
    this.done.toggleAttribute("data-unknown", states.length > 0 && unknown);
    this.done.setAttribute("stroke-dashoffset", AROUND * (1 - (unknown ? UNKNOWN : percent / 100)));
    const counts = [running.length ? `${running.length} running` : "", states.length > running.length ? `${states.length - running.length} waiting` : ""];
    const text = counts.filter(Boolean).join(", ");
    this.summary.textContent = text;
    const parts = [text, running.length && !unknown ? `${Math.floor(percent)} %` : "", this.#failed ? "one has failed" : ""].filter(Boolean);
    const label = parts.length ? `Operations: ${parts.join(", ")}` : "Operations";
    this.button.setAttribute("aria-label", label);
    this.button.title = label;
    this.empty.hidden = this.#cards.size > 0;
  }
}

/** Whether nobody asked for it: a scan of a watched folder. */
const isAutomatic = ({ state, own }) => Boolean(state.options.watched) && !own;

function toggle(dataset, name, on) {
  if (on) dataset[name] = "";
  else delete dataset[name];
}
