// The keys of the search page: arrows or j and k through the hits, Escape back to the field; and the help for all keys.
import { h } from "./dom.js";
import { menu } from "./menu.js";
import { typing } from "./search-shortcut.js";

/** The keys of a list of hits; `toField()` puts the focus into the search field. */
export function hitKeys(list, signal, toField) {
  const links = () => [...list.querySelectorAll("h2 a")];
  const focused = () => links().indexOf(document.activeElement?.closest(".hit")?.querySelector("h2 a"));
  function go(position) {
    const link = links()[position];
    link?.focus({ preventScroll: true });
    link?.closest(".hit").scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || event.target.closest?.("details[open], dialog")) return;
    const inside = list.contains(event.target);
    const step = { j: 1, k: -1, ArrowDown: inside ? 1 : 0, ArrowUp: inside ? -1 : 0 }[event.key];
    if (step) {
      event.preventDefault();
      const next = focused() + step;
      if (next < 0) toField();
      else go(Math.min(next, links().length - 1));
    } else if (event.key === "Escape" && inside) {
      event.preventDefault();
      toField();
    }
  }, { signal });
  return { first: () => go(0), go, focused };
}

const SYNTAX = [
  ["\"pressure valve\"", "these words side by side"],
  ["boiler -gas", "without a word"],
  ["valve OR tap", "one of both"],
  ["therm*", "words that begin so"],
  ["type:pdf  lang:de", "of a type, in a language"],
  ["path:reports", "in a folder or file of this name"],
  ["title:manual  author:lee  tag:gas", "with this title, author, tag"],
  ["after:2025-03  before:2026", "of a time"],
  ["is:recognised", "with text read from pictures"],
];
const KEYS = [
  ["/", "or Ctrl K: to the search field, from every page"],
  ["↓ ↑", "through suggestions and hits"],
  ["j k", "next and previous hit"],
  ["Enter", "search, or open the hit"],
  ["Esc", "back to the field; there, empty it"],
];

/** The "?" beside the field. */
export function searchHelp() {
  const rows = (pairs, tag) => h("dl", {}, pairs.map(([name, text]) =>
    h("div", {}, h("dt", {}, name.split("  ").flatMap((part, at) => [at ? " " : "", h(tag, {}, part)])), h("dd", {}, text))));
  return menu("?", [
    h("p", {}, "Type a question or a few words. Nothing else is needed; this is for when you know more:"),
    rows(SYNTAX, "code"), h("p", { class: "label" }, "Keys"), rows(KEYS, "kbd"),
  ], { class: "filter help-button", "aria-label": "How to search" }, { className: "help" }).node;
}
