// A search as parameters of the page's address and back, so that each has a link of its own. Pure functions.
//
// A search is {query, collections, mode, exact}: `collections` are the ids to search in, all where it is empty; `mode`
// is "hybrid", "meaning" or "words"; with `exact` no word of the query is corrected; `sort` is one of SORTS.

export const MODES = [["hybrid", "Meaning and words"], ["meaning", "Meaning"], ["words", "Words"]];
export const SORTS = [["relevance", "Best match"], ["-date", "Newest first"], ["date", "Oldest first"], ["title", "Title"],
  ["author", "Author"], ["tag", "Tag"], ["path", "Path"]];

/** The parameters of a search, as pairs. */
export function searchParameters({ query, collections, mode, exact, sort }) {
  const pairs = [["q", query], ...collections.map((id) => ["in", id])];
  if (mode !== "hybrid") pairs.push(["mode", mode]);
  if (sort !== "relevance") pairs.push(["sort", sort]);
  if (exact) pairs.push(["exact", "1"]);
  return pairs;
}

/** The search of some parameters (URLSearchParams); unknown modes are the default. */
export function searchFrom(parameters) {
  const [mode, sort] = [parameters.get("mode"), parameters.get("sort")];
  return {
    query: parameters.get("q") ?? "",
    collections: parameters.getAll("in"),
    mode: MODES.some(([name]) => name === mode) ? mode : "hybrid",
    sort: SORTS.some(([name]) => name === sort) ? sort : "relevance",
    exact: parameters.has("exact"),
  };
}
