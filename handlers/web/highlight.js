// Highlights in a text: the words of a query, or ranges that the server gives. Returns text nodes and elements.
import { h } from "./dom.js";

const WORD = /[\p{L}\p{N}]+/gu;
const STOP_WORDS = new Set(("a an and are as at be by can do does for from has have how i in is it its my of on or "
  + "that the their this to was we were what when where which who why will with you your").split(" "));

/** A regular expression for the words of a query and their longer forms; null if the query has no words. */
export function queryPattern(query) {
  const all = [...new Set(query.toLowerCase().match(WORD) ?? [])];
  const significant = all.filter((word) => !STOP_WORDS.has(word));
  const stems = (significant.length ? significant : all).map(stem).sort((a, b) => b.length - a.length);
  if (!stems.length) return null;
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${stems.join("|")})`, "giu");
}

/** Very short words must match exactly; longer ones may differ in their ending ("pumps", "pumping"). */
function stem(word) {
  if (word.length < 4) return `${word}(?![\\p{L}\\p{N}])`;
  const root = word.replace(/(?:ing|ed|es|s)$/u, "");
  return `${root.length < 4 ? word : root}[\\p{L}\\p{N}]*`;
}

/** `text` as nodes, with each match of `pattern` in a <mark>. */
export function highlight(text, pattern) {
  if (!pattern) return [text];
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > from) nodes.push(text.slice(from, match.index));
    nodes.push(h("mark", {}, match[0]));
    from = match.index + match[0].length;
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

/**
 * A chunk's text as nodes: `ranges` in <mark> elements, and the sentence `best` in a <span class="best">. Both count
 * characters as the server does, by code points.
 */
export function highlightRanges(text, ranges, best) {
  const characters = [...text];
  const piece = (from, to) => characters.slice(from, to).join("").replace(/\n\s*\n/g, "\n");
  const part = (start, end) => {
    const nodes = [];
    let from = start;
    for (const [begin, stop] of ranges) {
      if (begin < from || stop > end) continue;
      if (begin > from) nodes.push(piece(from, begin));
      nodes.push(h("mark", {}, piece(begin, stop)));
      from = stop;
    }
    if (from < end) nodes.push(piece(from, end));
    return nodes;
  };
  if (!best) return part(0, characters.length);
  return [...part(0, best[0]), h("span", { class: "best" }, part(...best)), ...part(best[1], characters.length)];
}
