// A search as parameters of the page's address and back, so that each has a link of its own. Pure functions.
//
// A search is {query, collections, filters, mode, sort, exact, like}: `collections` are the ids to search in, all where
// it is empty; `filters` has lists of values by the names of FILTERS; `mode` is "hybrid", "meaning" or "words"; `sort`
// is one of SORTS; with `exact` no word of the query is corrected; `like` is null, or {collection, document, seq, name}
// of a passage of which more are wanted.

export const MODES = [["hybrid", "Meaning and words"], ["meaning", "Meaning only"], ["words", "Words only"]];
export const SORTS = [["relevance", "Best match"], ["-date", "Newest first"], ["date", "Oldest first"], ["title", "Title"],
  ["author", "Author"], ["tag", "Tag"], ["path", "Path"]];

const quoted = (text) => `"${text.replaceAll('"', " ")}"`;

function dayAfter(day) {
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return day;
  date.setUTCDate(date.getUTCDate() + 1);
  return date.toISOString().slice(0, 10);
}

/** Each filter as the query language says it. */
const FILTERS = {
  folder: (path) => `path:"${path.replaceAll('"', "?")}/*"`,
  type: (name) => `type:${name}`,
  year: (year) => `after:${year} before:${Number(year) + 1}`,
  from: (day) => `after:${day}`,
  to: (day) => `before:${dayAfter(day)}`,
  language: (code) => `lang:${code}`,
  author: (name) => `author:${quoted(`=${name}`)}`,
  tag: (tag) => `tag:${quoted(tag)}`,
  recognised: () => "is:recognised",
};

export const EMPTY = Object.freeze({
  query: "", collections: [], filters: {}, mode: "hybrid", sort: "relevance", exact: false, like: null,
});

/** Whether there is something to search for or to list. */
export const isSearch = (search) => Boolean(search.query || search.like || Object.keys(search.filters).length);

/** What the server gets as the query: what was typed, and the chosen filters. */
export function queryText({ query, filters }) {
  const words = Object.entries(filters).flatMap(([name, values]) => values.map(FILTERS[name]));
  return [query, ...words].filter(Boolean).join(" ");
}

/** The search with a value of a filter chosen or, where it is chosen already, without it. */
export function toggled(search, name, value) {
  const values = search.filters[name] ?? [];
  const next = values.includes(value) ? values.filter((each) => each !== value) : [...values, value];
  const filters = { ...search.filters, [name]: next };
  if (!next.length) delete filters[name];
  return { ...search, filters };
}

/** The parameters of a search, as pairs. */
export function searchParameters({ query, collections, filters, mode, exact, sort, like }) {
  if (like) return [["like", [like.collection, like.document, like.seq].join("/")], ["of", like.name]];
  const pairs = query ? [["q", query]] : [];
  pairs.push(...collections.map((id) => ["in", id]));
  for (const [name, values] of Object.entries(filters)) pairs.push(...values.map((value) => [name, value]));
  if (mode !== "hybrid") pairs.push(["mode", mode]);
  if (sort !== "relevance") pairs.push(["sort", sort]);
  if (exact) pairs.push(["exact", "1"]);
  return pairs;
}

/** The search of some parameters (URLSearchParams); unknown modes are the default. */
export function searchFrom(parameters) {
  const [mode, sort] = [parameters.get("mode"), parameters.get("sort")];
  const filters = {};
  for (const name of Object.keys(FILTERS)) {
    const values = [...new Set(parameters.getAll(name))].filter(Boolean);
    if (values.length) filters[name] = values;
  }
  const [collection, document, seq] = (parameters.get("like") ?? "").split("/");
  return {
    query: parameters.get("q") ?? "",
    collections: [...new Set(parameters.getAll("in"))],
    filters,
    mode: MODES.some(([name]) => name === mode) ? mode : "hybrid",
    sort: SORTS.some(([name]) => name === sort) ? sort : "relevance",
    exact: parameters.has("exact"),
    like: seq ? { collection, document, seq, name: parameters.get("of") ?? "" } : null,
  };
}

/** The address of a search, below the page's own. */
export function searchAddress(search) {
  const pairs = searchParameters(search);
  return pairs.length ? `#/?${new URLSearchParams(pairs)}` : "#/";
}

/** What a search is called in the tab. */
export function searchTitle(search) {
  if (search.like) return `More like “${search.like.name}”`;
  return search.query || (Object.keys(search.filters).length ? Object.values(search.filters).flat().join(", ") : "");
}
