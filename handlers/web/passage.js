// A passage as it is read in a hit: rendered, with the words that were found marked, cut so that the best part is seen.
import { h } from "./dom.js";
import { markedNodes } from "./markdown-inline.js";
import { renderMarkdown } from "./markdown.js";

const FAR = 180; // characters: a best sentence further on begins the excerpt
const SEEN = 200; // so many are seen of a sentence
const LINE = 400; // more than is seen of a passage in one line
const ENDS = /^(p|li|t[hd]|pre|br|div)$/; // where a space divides the words
const PLAIN = /^(text\/(plain|x-|css|javascript)|application\/(json|javascript|toml|yaml|sql|x-sh|x-httpd))/;

/** Whether the text of such a document is shown as it is: a program, a log, a table of data. */
export const isPlain = (mime) => PLAIN.test(mime ?? "");

/** Whether a line's end in such a document is no more than a space. */
export const isWrapped = (mime) => mime === "text/markdown" || mime === "text/html";

/** Ranges that count characters (code points), as ranges of UTF-16 units. */
export function utf16Ranges(text, ranges) {
  if (!/[\ud800-\udbff]/.test(text)) return ranges;
  const at = [0];
  for (const character of text) at.push(at.at(-1) + character.length);
  return ranges.map(([start, end]) => [at[start] ?? text.length, at[end] ?? text.length]);
}

function attributes(mime, kind) {
  return { class: `${kind} md${isPlain(mime) ? " plain-text" : ""}${isWrapped(mime) ? " wrapped" : ""}`, dir: "auto" };
}

/** The length of the heading that a passage begins with, where the place of the hit names it anyway. */
function headingLength(text, heading) {
  const found = /^(?:\s*#{1,6}[ \t]+(.+)\n\s*)+/.exec(text);
  return found && heading && text.length > found[0].length && heading.includes(found[1].replace(/[#*\x60\s]+$/, "")) ? found[0].length : 0;
}

/** Where the excerpt begins: at the row or sentence that has most of the words, if it is not near the start. */
function excerptStart(text, heading, best, marks) {
  const begin = headingLength(text, heading);
  const marked = best && marks.some(([from]) => from >= best[0] && from < best[0] + SEEN);
  const target = marked || !marks.length ? best?.[0] : marks[0][0];
  if (target === undefined || target - begin < FAR) return begin;
  const line = text.lastIndexOf("\n", target) + 1;
  return text[line] === "|" || target - line < SEEN / 2 || !best ? line : target;
}

function excerpt(hit, whole) {
  const { passage: text } = hit;
  const marks = utf16Ranges(text, hit.highlights);
  const [best] = hit.best_sentence ? utf16Ranges(text, [hit.best_sentence]) : [null];
  const start = whole ? 0 : excerptStart(text, hit.heading, best, marks);
  const shift = ([a, b]) => [a - start, b - start];
  const cut = start > 0 && start > headingLength(text, hit.heading);
  return { text: text.slice(start), cut, marks: marks.map(shift).filter(([, b]) => b > 0), best: best && shift(best) };
}

/** The passage of a hit as an element; with `whole` from its beginning. */
export function passage(hit, { whole = false } = {}) {
  const { mime } = hit.document;
  const { text, cut, marks, best } = excerpt(hit, whole);
  const content = isPlain(mime) ? [h("p", {}, markedNodes(text, 0, text.length, { marks, best }))]
    : renderMarkdown(text, { marks, best, mail: mime === "message/rfc822", joined: mime === "message/rfc822" });
  if (cut && content[0]?.localName === "p") content[0].prepend("… ");
  return h("div", attributes(mime, "chunk"), content);
}

/** The passage in one line, without its structure: strings, and the words that were found. */
export function passageLine(hit) {
  const { text, cut, marks } = excerpt(hit, false);
  const { mime } = hit.document;
  const line = text.slice(0, LINE);
  const nodes = isPlain(mime) ? [h("p", {}, markedNodes(line, 0, line.length, { marks }))] : renderMarkdown(line, { marks });
  return [cut ? "… " : "", ...nodes.flatMap(inline)];
}

function inline(node) {
  if (node.nodeType === Node.TEXT_NODE) return [node.data.replace(/\s+/g, " ")];
  if (node.localName === "mark") return [h("mark", {}, node.textContent)];
  return [...[...node.childNodes].flatMap(inline), ENDS.test(node.localName) ? " " : ""];
}
