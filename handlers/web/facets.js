// What the documents of a result have in common, with counts; a click narrows the result, another one widens it again.
import { h } from "./dom.js";
import { languageName, number, plural } from "./format.js";

const TITLES = { author: "Author", tag: "Tag", type: "Type", language: "Language", year: "Year" };
export const FACETS = Object.keys(TITLES);
const WIDE = "(min-width: 56rem)";

const quoted = (text) => `"${text.replaceAll('"', " ")}"`;
const FILTERS = {
  author: (name) => `author:${quoted(`=${name}`)}`,
  tag: (tag) => `tag:${/^[\w-]+$/.test(tag) ? tag : quoted(tag)}`,
  type: (name) => `type:${name}`,
  language: (code) => `lang:${code}`,
  year: (year) => `after:${year} before:${Number(year) + 1}`,
};

/** The query with a filter added, or without it where it has it already. */
function toggled(query, filter) {
  const at = ` ${query} `.indexOf(` ${filter} `);
  if (at < 0) return `${query} ${filter}`;
  return `${query.slice(0, at)}${query.slice(at + filter.length)}`.replace(/ {2,}/g, " ").trim();
}

export class Facets {
  /** `onQuery(query)` is called with another query when a value is chosen. */
  constructor(onQuery) {
    this.onQuery = onQuery;
    this.list = h("div", { class: "stack tight" });
    this.chosen = false; // whether the user has opened or closed the list
    const summary = h("summary", { onclick: () => { this.chosen = true; } }, "Narrow down");
    this.node = h("details", { class: "facets", hidden: true }, summary, this.list);
  }

  clear() {
    this.node.hidden = true;
  }

  show({ facets, matched }, query) {
    const groups = FACETS.filter((name) => this.#tells(facets[name], matched, name, query));
    this.list.replaceChildren(...groups.map((name) => this.#group(name, facets[name], query)),
      matched.complete ? "" : h("p", { class: "hint" }, `Counted in the best ${plural(matched.documents, "document")}.`));
    this.node.hidden = groups.length === 0;
    if (!this.chosen) this.node.open = matchMedia(WIDE).matches;
  }

  /** Whether a choice in it would change the result. */
  #tells({ values }, matched, name, query) {
    return values.some(({ value, count }) =>
      count < matched.documents || toggled(query, FILTERS[name](value)).length < query.length);
  }

  #group(name, { values, missing, others }, query) {
    const rest = [others ? `${number(others)} more` : "", missing && name !== "year" ? `${number(missing)} without` : ""];
    const hint = rest.filter(Boolean).join(", ");
    return h("fieldset", { class: "facet", "data-facet": name }, h("legend", {}, TITLES[name]),
      h("ul", {}, values.map(({ value, count }) => h("li", {}, this.#value(name, value, count, query)))),
      hint ? h("p", { class: "hint" }, hint) : "");
  }

  #value(name, value, count, query) {
    const next = toggled(query, FILTERS[name](value));
    const chosen = next.length < query.length;
    // A query of nothing lists no documents: its last filter cannot be taken away here.
    return h("button", {
      type: "button", class: "quiet", "aria-pressed": String(chosen), disabled: !next,
      onclick: () => this.onQuery(next),
    }, h("span", {}, name === "language" ? languageName(value) : value), h("span", { class: "count" }, number(count)));
  }
}
