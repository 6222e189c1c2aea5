// The filters of a search as a row of menus, with the counts of the present result; what is chosen stays as a chip.
import { collectionPicker } from "./collection-picker.js";
import { h } from "./dom.js";
import { languageName, number, plural, shownPath } from "./format.js";
import { arrowKeys, menu } from "./menu.js";
import { toggled } from "./search-address.js";

const TITLES = {
  folder: "Folder", type: "Type", year: "Date", language: "Language", author: "Author", tag: "Tag",
  recognised: "Recognised text",
};
/** What is counted with a result. */
export const FACETS = ["collection", ...Object.keys(TITLES)];
const LONG = 12; // values, from which on a list can be searched

const lastPart = (path) => shownPath(path).split("/").filter(Boolean).at(-1) ?? path;
const SHOWN = {
  folder: shownPath, language: languageName, recognised: () => "Recognised text",
  from: (day) => `From ${day}`, to: (day) => `Until ${day}`,
};
const shownValue = (name, value) => (SHOWN[name] ?? String)(value);
const chipText = (name, value) => (name === "folder" ? lastPart(value) : shownValue(name, value));

export class Facets {
  #answer = null;

  /** `onSearch(search)` is called with another search when something is chosen. */
  constructor(collectionStore, onSearch) {
    this.onSearch = onSearch;
    this.picker = collectionPicker(collectionStore, (collections) => onSearch({ ...this.search, collections }));
    this.menus = h("div", { class: "filter-menus" });
    this.chips = h("ul", { class: "filter-chips", "aria-label": "Chosen filters" });
    this.node = h("div", { class: "filters-row", role: "group", tabindex: "-1", "aria-label": "Filters" }, this.picker.node, this.menus, this.chips);
  }

  /** Another search: its chips are drawn at once, its counts come with `show`. */
  draw(search) {
    // Those of the search before stay where they are until its counts are there, so that nothing moves or loses the focus.
    if (search !== this.search) this.menus.classList.add("stale");
    this.search = search;
    this.node.hidden = Boolean(search.like);
    this.picker.draw(search.collections);
    const chips = Object.entries(search.filters).flatMap(([name, values]) => values.map((value) => this.#chip(name, value)));
    if (chips.length > 1) {
      chips.push(h("li", {}, h("button", { type: "button", class: "link", onclick: () => this.onSearch({ ...search, filters: {} }) }, "Clear filters")));
    }
    this.chips.replaceChildren(...chips);
    this.chips.hidden = chips.length === 0;
  }

  /** The counts of a result; null where there is none. */
  show(answer) {
    this.#answer = answer;
    if (!answer) {
      this.menus.replaceChildren();
      this.picker.counts(null, this.search);
      return;
    }
    this.picker.counts(answer.facets.collection, this.search);
    const open = this.menus.querySelector("details[open]");
    if (open) { // it is being used: what is in it stays under the pointer
      const { search } = this;
      open.addEventListener("toggle", () => { if (this.#answer === answer && this.search === search) this.show(answer); }, { once: true });
      return;
    }
    const focused = this.menus.contains(document.activeElement) ? document.activeElement.closest("[data-facet]") : null;
    this.menus.replaceChildren(...Object.keys(TITLES).map((name) => this.#menu(name)).filter(Boolean));
    this.menus.classList.remove("stale");
    if (focused) this.#focus(focused.dataset.facet);
  }

  /** The focus goes to the menu that had it, to the chip of what was chosen in it, or to what stands beside. */
  #focus(name) {
    const menu = this.menus.querySelector(`[data-facet="${name}"]`);
    const target = menu?.querySelector("summary") ?? menu ?? this.chips.querySelector(`[data-chip="${name}"]`);
    (target ?? this.chips.querySelector("button") ?? this.menus.querySelector("summary, button") ?? this.node).focus();
  }

  #chip(name, value) {
    const text = chipText(name, value);
    return h("li", { class: "chosen" }, h("span", { class: "clip", dir: "auto", title: shownValue(name, value) }, text), h("button", {
      type: "button", class: "quiet", "data-chip": name, "aria-label": `Remove the filter ${shownValue(name, value)}`,
      onclick: () => {
        this.onSearch(toggled(this.search, name, value));
        this.#focus(name);
      },
    }, "×"));
  }

  /** Whether a choice in it would change the result. */
  #tells(name, values) {
    if (this.search.filters[name]) return values.length > 1 || name === "year";
    if (name === "year") return values.length > 0; // days can be chosen in it
    return values.some(({ count }) => count < this.#answer.matched.documents);
  }

  #menu(name) {
    const { values, missing, others } = this.#answer.facets[name];
    if (!this.#tells(name, values)) return null;
    if (name === "recognised") {
      return h("button", { type: "button", class: "filter", "data-facet": name, onclick: () => this.#choose(name, "yes") },
        TITLES[name], " ", h("span", { class: "count" }, number(values[0].count)));
    }
    const rest = [
      others ? `${number(others)} more` : "",
      missing && name !== "year" ? `${number(missing)} without` : "",
      this.#answer.matched.complete ? "" : `counted in the best ${plural(this.#answer.matched.documents, "document")}`,
    ].filter(Boolean).join(", ");
    const sorted = name === "folder" ? [...values].sort((a, b) => (a.value < b.value ? -1 : 1)) : values;
    const list = h("ul", { class: "values" }, sorted.map(({ value, count }) => h("li", {}, this.#value(name, value, count))));
    const find = values.length > LONG ? this.#find(list, TITLES[name]) : null;
    const made = menu(TITLES[name], [find, list, name === "year" ? this.#range() : null, rest ? h("p", { class: "hint" }, rest) : null],
      { class: "filter" });
    made.node.dataset.facet = name;
    arrowKeys(made.node, "summary, .values button");
    return made.node;
  }

  #value(name, value, count) {
    const chosen = (this.search.filters[name] ?? []).includes(value);
    return h("button", { type: "button", class: "quiet", "aria-pressed": String(chosen), onclick: () => this.#choose(name, value) },
      h("span", { class: "clip", dir: "auto", title: shownValue(name, value) }, shownValue(name, value)),
      h("span", { class: "count" }, number(count)));
  }

  #find(list, title) {
    return h("input", {
      type: "search", "aria-label": `Find in ${title}`, placeholder: "Find…", class: "find",
      oninput: (event) => {
        const typed = event.target.value.trim().toLowerCase();
        for (const item of list.children) item.hidden = !item.textContent.toLowerCase().includes(typed);
      },
    });
  }

  #range() {
    const input = (name, text) => h("label", { class: "day" }, text, h("input", {
      type: "date", value: this.search.filters[name]?.[0] ?? "", max: "2199-12-31",
      onchange: (event) => {
        const filters = { ...this.search.filters, [name]: [event.target.value] };
        if (!event.target.value) delete filters[name];
        this.#closed({ ...this.search, filters });
      },
    }));
    return h("div", { class: "days" }, input("from", "From"), input("to", "Until"));
  }

  #choose(name, value) {
    this.#closed(toggled(this.search, name, value));
  }

  #closed(search) {
    const open = this.menus.querySelector("details[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    }
    this.onSearch(search);
  }
}
