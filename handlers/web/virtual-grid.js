// A grid of any length: only the rows in sight are in the document, the rest is the height of a spacer. It knows rows by
// their places; what is in them, and which are selected, is asked for. Keyboard as in the ARIA grid pattern.
import { h } from "./dom.js";

const MAX_HEIGHT = 12_000_000; // browsers draw no taller boxes; longer lists are scrolled through in larger steps
const SPARE = 6; // rows beyond each edge

let grids = 0;

export class VirtualGrid {
  #rows = new Map(); // place: {node, item, text}
  #frame = 0;
  #total = 0;
  #active = 0;
  #anchor = 0;
  #waiting = null; // what was pressed on the active row before it was known
  #id = `grid-${(grids += 1)}`;

  /**
   * `head`: the header row. `item(place)`: what a row shows, or null while that is not known; `build(item)`: its cells;
   * `status(item)`: its data-status. `isSelected(place)`.
   * `onRange(first, end)`: these rows are in sight. `onSelect(from, to, add)`: inclusive; `add`: to what is selected.
   * `onOpen(place)`: Enter. `onAll()`, `onNone()`: select. `rowHeight()`: pixels.
   */
  constructor(label, head, handlers, signal) {
    Object.assign(this, handlers);
    this.body = h("div", { class: "grid-body", role: "rowgroup" });
    this.spacer = h("div", { class: "grid-spacer", role: "presentation" }, this.body);
    this.scroller = h("div", {
      class: "grid-scroller", role: "grid", tabindex: 0, "aria-label": label, "aria-multiselectable": "true",
      onscroll: () => this.#schedule(), onkeydown: (event) => this.#onKey(event),
    }, head, this.spacer);
    this.node = this.scroller;
    const resized = new ResizeObserver(() => this.draw());
    resized.observe(this.scroller);
    signal.addEventListener("abort", () => resized.disconnect());
  }

  get total() {
    return this.#total;
  }

  get active() {
    return this.#active;
  }

  /** How many rows there are; the place stays. */
  setTotal(total) {
    this.#total = total;
    this.#active = Math.max(0, Math.min(this.#active, total - 1));
    this.scroller.setAttribute("aria-rowcount", String(total + 1));
    this.draw();
  }

  /** Go to a row, and make it the active one. */
  goTo(place, { align = "start" } = {}) {
    this.#waiting = null;
    this.#active = this.#anchor = Math.max(0, Math.min(place, this.#total - 1));
    const { scroller } = this;
    const height = this.rowHeight();
    if (this.#scale() > 1 || align === "start") scroller.scrollTop = (this.#active * height) / this.#scale();
    else {
      const top = this.#active * height;
      const seen = scroller.clientHeight - this.#headHeight();
      if (top < scroller.scrollTop) scroller.scrollTop = top;
      else if (top + height > scroller.scrollTop + seen) scroller.scrollTop = top + height - seen;
    }
    this.draw();
  }

  /** Another list: begin at its top. */
  reset() {
    this.#waiting = null;
    this.#active = this.#anchor = 0;
    this.scroller.scrollTop = 0;
  }

  #headHeight() {
    return this.scroller.firstElementChild.offsetHeight;
  }

  #scale() {
    return Math.max(1, (this.#total * this.rowHeight()) / MAX_HEIGHT);
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.draw();
    });
  }

  draw() {
    const height = this.rowHeight();
    const scale = this.#scale();
    const seen = Math.ceil(this.scroller.clientHeight / height) + 1;
    const offset = this.scroller.scrollTop;
    const top = Math.min(Math.floor((offset * scale) / height), Math.max(0, this.#total - seen + 1));
    const first = Math.max(0, top - SPARE);
    const end = Math.min(this.#total, top + seen + SPARE);
    this.spacer.style.height = `${(this.#total * height) / scale}px`;
    // With a scale of 1 a row stands where it belongs; otherwise those in sight are put there.
    this.body.style.transform = `translateY(${scale === 1 ? first * height : offset - (top - first) * height}px)`;
    for (const [place, { node }] of this.#rows) {
      if (place >= first && place < end) continue;
      node.remove();
      this.#rows.delete(place);
    }
    for (let place = end - 1, after = null; place >= first; place -= 1) after = this.#drawRow(place, height, after);
    if (this.#total) this.scroller.setAttribute("aria-activedescendant", `${this.#id}-${this.#active}`);
    else this.scroller.removeAttribute("aria-activedescendant");
    this.onRange(first, end);
    if (this.#waiting && this.item(this.#active)) this.#act(this.#waiting);
  }

  /** Do something with the active row, at once or when it is known. */
  #act(action) {
    const known = this.item(this.#active) !== null;
    this.#waiting = known ? null : action;
    if (known) action(this.#active);
  }

  /**
   * A row before the node `after`. One that shows the same as before stays: a click that has begun on a node that is
   * replaced is lost.
   */
  #drawRow(place, height, after) {
    const item = this.item(place);
    let row = this.#rows.get(place);
    if (!row || row.item !== item) {
      const text = JSON.stringify(item);
      if (row?.text === text) row.item = item;
      else {
        row?.node.remove();
        row = { item, text, node: this.#build(place, item) };
        this.#rows.set(place, row);
        this.body.insertBefore(row.node, after);
      }
    }
    const selected = Boolean(this.isSelected(place));
    const { node } = row;
    node.style.height = `${height}px`;
    node.setAttribute("aria-selected", String(selected));
    node.toggleAttribute("data-active", place === this.#active);
    const box = node.querySelector("input");
    if (box) box.checked = selected;
    return node;
  }

  #build(place, item) {
    return h("div", {
      class: "grid-row", role: "row", id: `${this.#id}-${place}`, "aria-rowindex": place + 2, "data-place": place,
      "data-status": item && this.status(item), onclick: (event) => this.#onClick(event, place),
    }, item ? this.build(item) : h("div", { role: "gridcell", class: "grid-waiting" }, "…"));
  }

  #onClick(event, place) {
    if (event.target.closest("a, button")) return;
    const box = event.target.closest("input");
    this.scroller.focus({ preventScroll: true });
    if (event.shiftKey) this.onSelect(Math.min(this.#anchor, place), Math.max(this.#anchor, place), true);
    else if (box || event.ctrlKey || event.metaKey) this.onSelect(place, place, true);
    if (!event.shiftKey) this.#anchor = place;
    this.#active = place;
    this.#waiting = null;
    this.draw();
  }

  #onKey(event) {
    if (event.target !== this.scroller || event.altKey) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.rowHeight()) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.#total, End: this.#total };
    if (event.key in steps) {
      const anchor = this.#anchor;
      this.goTo(this.#active + steps[event.key], { align: "nearest" });
      if (event.shiftKey) {
        this.#anchor = anchor;
        this.onSelect(Math.min(anchor, this.#active), Math.max(anchor, this.#active), true);
      }
    } else if (event.key === " ") this.#act((place) => this.onSelect(place, place, true));
    else if (event.key === "Enter") this.#act((place) => this.onOpen(place));
    else if (event.key === "Escape") {
      this.#waiting = null;
      this.onNone();
    }
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.onAll();
    else return;
    event.preventDefault();
  }
}
