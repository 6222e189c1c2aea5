// How well a hit fits, for people: three bars and a word; and why it was found, with the numbers. Pure.
import { h } from "./dom.js";

const RELEVANCE = {
  strong: [3, "Strong", "Clearly better than what an unrelated query finds here."],
  fair: [2, "Fair", "Better than most of what an unrelated query finds here."],
  weak: [1, "Weak match", "No better than what an unrelated query finds here."],
};

/** The meter of a hit; nothing where the server does not know how much chance finds. */
export function relevanceMeter({ relevance }) {
  if (!RELEVANCE[relevance]) return null;
  const [bars, text, explanation] = RELEVANCE[relevance];
  return h("span", { class: "relevance", "data-relevance": relevance, title: explanation },
    h("span", { class: "bars", "aria-hidden": "true" }, [1, 2, 3].map((at) => h("i", { class: at <= bars ? "on" : "" }))), text);
}

function how({ scores, matched }) {
  const byMeaning = scores.meaning !== null;
  const byWords = scores.words !== null && scores.words > 0;
  const words = matched?.length ? `the words ${matched.map((word) => `“${word}”`).join(", ")}` : "words of your query";
  if (byMeaning && byWords) return `Found by meaning and by words: its meaning is close to your query, and it has ${words}.`;
  if (byWords) return `Found by words: it has ${words}.`;
  return "Found by meaning: its meaning is close to your query, though it has none of its words.";
}

/** Why a hit was found: a sentence, how well it fits, and the exact scores. */
export function reasons(hit) {
  const { scores } = hit;
  const rows = [
    ["Meaning", scores.meaning, 3, "cosine between query and passage, at most 1"],
    ["Words", scores.words, 1, "BM25 score of the query's words, from 0"],
    ["Together", scores.fused, 3, "what the order comes from"],
    ["Cross-encoder", scores.rerank ?? null, 3, "read query and passage together"],
  ].filter(([, value]) => value !== null);
  const explanation = RELEVANCE[hit.relevance]?.[2];
  return h("div", { class: "why" }, h("p", {}, how(hit), explanation ? ` ${explanation}` : ""),
    h("dl", {}, rows.map(([name, value, digits, text]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, h("b", {}, value.toFixed(digits)), " ", h("span", { class: "hint" }, text))))));
}
