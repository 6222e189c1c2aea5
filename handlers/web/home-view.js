// The first view: the search form; below it the results, or what to begin with.
import { h } from "./dom.js";
import { Facets } from "./facets.js";
import { creation, formerSearches, latestCollections } from "./front-page.js";
import { Results } from "./results.js";
import { EMPTY, MODES, SORTS, isSearch, searchAddress, searchFrom, searchTitle } from "./search-address.js";
import { SearchHistory } from "./search-history.js";
import { hitKeys, searchHelp } from "./search-keys.js";
import { entry, goTo, keep, kept } from "./search-places.js";
import { searchKeys } from "./search-shortcut.js";
import { suggestions } from "./suggestions.js";

// Without another key, before what is typed is searched for: from key to hits it shall take 120 ms at most.
const PAUSE_MS = 45;
const SHORTEST = 2;

export function homeView(app, _ids, parameters, signal) {
  return new HomeView(app, searchFrom(parameters), signal);
}

class HomeView {
  constructor(app, search, signal) {
    this.collectionStore = app.collectionStore;
    this.setTitle = app.setTitle;
    this.current = search;
    this.title = searchTitle(search);
    this.former = new SearchHistory(app.user);
    this.entry = entry();
    this.typed = false; // whether the present entry of the browser's history came from typing
    this.scroll = 0;
    this.chunks = Infinity; // in all collections, at the last look
    this.focused = -1; // the hit that has the focus
    this.results = new Results(app, signal, {
      onSearch: (next) => this.#choose(next), onFacets: (answer) => this.facets.show(answer),
    });
    this.facets = new Facets(app.collectionStore, (next) => this.#choose(next));
    this.keys = hitKeys(this.results.list, signal, () => this.#toField());
    this.#build(app, signal);
    this.#listen(signal);
    this.#drawForm();
    this.#begin();
  }

  #build(app, signal) {
    this.input = h("input", {
      type: "search", name: "q", "aria-label": "Search your documents", autocomplete: "off", maxlength: 2000, dir: "auto",
      placeholder: "Search your documents", value: this.current.query, spellcheck: "false", enterkeyhint: "search",
    });
    const select = (label, options, name) => h("select", {
      "aria-label": label, class: "filter", onchange: (event) => this.#choose({ ...this.current, [name]: event.target.value }),
    }, options.map(([value, text]) => h("option", { value }, text)));
    this.modes = select("Search by", MODES, "mode");
    this.sorts = select("Sort by", SORTS, "sort");
    this.completions = suggestions(this.input, signal, {
      collections: () => this.current.collections, former: () => this.former.queries,
      onChoose: () => this.#submit(), onPast: () => this.keys.first(),
    });
    this.recent = formerSearches(this.former, () => this.#toField());
    this.front = h("div", { class: "stack front" }, this.recent.node, latestCollections(app, signal), creation(app, signal, () => this.#toField()));
    this.choices = h("div", { class: "choices" }, this.modes, this.sorts);
    this.form = h("form", {
      class: "search", role: "search",
      onsubmit: (event) => {
        event.preventDefault();
        this.completions.close();
        this.#submit();
      },
    }, h("div", { class: "bar" }, this.input, searchHelp(), h("button", { class: "primary" }, "Search")),
    this.completions.node, h("div", { class: "filters-line" }, this.facets.node, this.choices));
    this.node = h("div", { class: "stack home" }, this.form, this.results.node, this.front);
  }

  #listen(signal) {
    this.input.addEventListener("input", () => this.#type());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && this.input.value) {
        event.preventDefault();
        this.input.value = "";
        this.#type();
      }
    });
    this.results.list.addEventListener("click", (event) => {
      if (event.target.closest("a")) this.#remember();
    });
    searchKeys(() => this.#toField(), { signal });
    this.collectionStore.addEventListener("change", () => {
      this.#drawForm();
      this.#searchAgain();
    }, { signal });
    // Before another view is shown the page scrolls to its top and takes the focus: the place has to be known before.
    this.results.list.addEventListener("focusin", () => { this.focused = this.keys.focused(); });
    this.input.addEventListener("focus", () => { this.focused = -1; });
    window.addEventListener("scroll", () => { this.scroll = window.scrollY; }, { signal, passive: true });
    signal.addEventListener("abort", () => {
      clearTimeout(this.timer);
      this.#keep();
    });
  }

  /** The first search of this view: as it was left, or asked for anew. */
  #begin() {
    const place = kept(this.entry);
    const touch = !matchMedia("(hover: hover)").matches; // there, a focus opens the keyboard over the page
    this.#drawPage();
    if (isSearch(this.current)) {
      if (place && searchAddress(place.saved.search) === searchAddress(this.current)) this.results.restore(place.saved);
      else this.results.search(this.current);
    }
    queueMicrotask(() => {
      if (place) window.scrollTo(0, place.scroll);
      if (place?.focused >= 0) this.results.list.querySelectorAll("h2 a")[place.focused]?.focus({ preventScroll: true });
      else if (!touch && !this.current.like) this.input.focus({ preventScroll: true });
    });
  }

  #keep() {
    if (!this.results.answers?.length || !isSearch(this.current)) return;
    keep(this.entry, { saved: this.results.saved, scroll: this.scroll, focused: this.focused });
  }

  /** Something was typed: search after a pause, in the same entry of the history as what was typed before. */
  #type() {
    clearTimeout(this.timer);
    const query = this.input.value.trim();
    const next = { ...EMPTY, ...this.current, query, exact: false, like: null };
    if (query === this.current.query && !this.current.like) return;
    if (query && query.length < SHORTEST && !/[^\p{ASCII}]/u.test(query)) {
      this.results.dim();
      return;
    }
    if (!isSearch(next)) {
      this.#show(next, this.typed);
      return;
    }
    this.results.dim();
    this.timer = setTimeout(() => {
      this.#show(next, this.typed);
      this.typed = true;
    }, PAUSE_MS);
  }

  /** Enter, or a suggestion: what is typed is meant. */
  #submit() {
    clearTimeout(this.timer);
    const query = this.input.value.trim();
    const next = { ...this.current, query, like: null, exact: this.current.exact && query === this.current.query };
    const known = searchAddress(next) === searchAddress(this.current) && this.results.answers?.[0]?.hits.length;
    if (!known) this.#show(next, this.typed);
    this.typed = false;
    this.#remember();
  }

  /** A filter, an order or another way to search was chosen. */
  #choose(next) {
    clearTimeout(this.timer);
    if (!next.like) next = { ...next, query: this.input.value.trim() || next.query };
    this.typed = false;
    this.#remember();
    this.#show(next, false);
  }

  #remember() {
    this.former.add(this.current.query);
  }

  #show(search, replace) {
    if (!replace) this.#keep();
    this.current = search;
    this.entry = goTo(searchAddress(search), replace);
    this.setTitle(searchTitle(search));
    this.#drawPage();
    if (isSearch(search)) this.results.search(search);
  }

  #drawPage() {
    const search = this.current;
    const searching = isSearch(search);
    this.front.hidden = searching;
    if (this.input.value.trim() !== search.query) this.input.value = search.query;
    [this.modes.value, this.sorts.value] = [search.mode, search.sort];
    this.facets.draw(search);
    this.choices.hidden = Boolean(search.like);
    if (!searching) {
      this.results.clear();
      this.facets.show(null);
      this.recent.draw();
    }
  }

  #drawForm() {
    this.form.hidden = this.collectionStore.collections.length === 0;
    this.facets.draw(this.current);
  }

  /** What was searched for in vain may be in what has been indexed since. */
  #searchAgain() {
    const { chunks } = this;
    this.chunks = this.collectionStore.collections.reduce((sum, { chunk_count: count }) => sum + count, 0);
    if (this.chunks > chunks && this.results.vain) this.results.search(this.current);
  }

  #toField() {
    this.input.focus({ preventScroll: true });
    this.input.select();
    window.scrollTo(0, 0);
  }
}
