// Which words of a text belong to a query, where the server has not said so.

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
