// Finds the words of a question in a passage, and gives the passage back as text nodes and <mark>s.
import { h } from "./dom.js";

const WORD = /[\p{L}\p{N}]+/gu;
const COMMON = new Set(("a an and are as at be by can do does for from has have how i in is it its my of on or "
  + "that the their this to was we were what when where which who why will with you your").split(" "));

/** A question as one expression that matches its words, and longer forms of them; null if it has none. */
export function wordsOf(question) {
  const all = [...new Set(question.toLowerCase().match(WORD) ?? [])];
  const telling = all.filter((word) => !COMMON.has(word));
  const stems = (telling.length ? telling : all).map(stem).sort((a, b) => b.length - a.length);
  if (!stems.length) return null;
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${stems.join("|")})`, "giu");
}

/** Very short words must match whole; of longer ones an ending may differ ("pumps", "pumping"). */
function stem(word) {
  if (word.length < 4) return `${word}(?![\\p{L}\\p{N}])`;
  const root = word.replace(/(?:ing|ed|es|s)$/u, "");
  return `${root.length < 4 ? word : root}[\\p{L}\\p{N}]*`;
}

/** `text` as nodes, with each match of `words` in a <mark>. */
export function marked(text, words) {
  if (!words) return [text];
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(words)) {
    if (match.index > from) nodes.push(text.slice(from, match.index));
    nodes.push(h("mark", {}, match[0]));
    from = match.index + match[0].length;
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}
