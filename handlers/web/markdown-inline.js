// What stands inside a paragraph of Markdown: emphasis, code, links. Pure; returns text nodes and elements.
import { h } from "./dom.js";

// Lengths are bounded, so that a line full of unpaired signs takes no longer than another one.
const INLINE = new RegExp([
  String.raw`\\(?<escaped>[!-/:-@[-\x60{-~])`,
  String.raw`(?<tick>\x60+)(?<code>[^\x60].{0,400}?)\k<tick>(?!\x60)`,
  String.raw`(?<image>!)?\[(?<label>[^\[\]]{0,300})\]\((?<target>[^()\s]{1,1000})(?:\s+"[^"]{0,200}")?\)`,
  String.raw`<(?<auto>https?://[^<>\s]{1,1000})>`,
  String.raw`(?<line><br ?/?>)`,
  String.raw`\*\*(?=[^\s*])(?<strong>.{1,600}?)(?<=\S)\*\*`,
  String.raw`(?<![\p{L}\p{N}_])__(?=\S)(?<strong2>.{1,600}?)(?<=\S)__(?![\p{L}\p{N}_])`,
  String.raw`\*(?=[^\s*])(?<em>[^*\n]{1,600}?)(?<=\S)\*(?!\*)`,
  String.raw`(?<![\p{L}\p{N}_])_(?=[^\s_])(?<em2>[^_\n]{1,600}?)(?<=\S)_(?![\p{L}\p{N}_])`,
  String.raw`~~(?=\S)(?<del>[^~]{1,600}?)(?<=\S)~~`,
].join("|"), "gsu");

/** The part of `text` from `from` to `to` as nodes; for the options see `renderMarkdown`. With `plain` nothing is parsed. */
export function inlineNodes(text, from, to, options) {
  if (options.plain) return markedNodes(text, from, to, options);
  const nodes = [];
  const source = text.slice(from, to);
  let done = 0;
  for (const found of source.matchAll(INLINE)) {
    nodes.push(...markedNodes(text, from + done, from + found.index, options));
    done = found.index + found[0].length;
    nodes.push(...element(text, from + found.index, found, options));
  }
  return [...nodes, ...markedNodes(text, from + done, to, options)];
}

function element(text, at, found, options) {
  const groups = found.groups;
  const inner = (value, tag, plain = false) => {
    const start = at + found[0].indexOf(value, tag === "code" ? groups.tick.length : 1);
    return h(tag, {}, inlineNodes(text, start, start + value.length, { ...options, plain }));
  };
  if (groups.escaped) return markedNodes(text, at + 1, at + 2, options);
  if (groups.line) return [h("br")];
  if (groups.code) return [inner(groups.code, "code", true)];
  if (groups.auto) return [link(groups.auto, markedNodes(text, at + 1, at + 1 + groups.auto.length, options), options)];
  if (groups.target) {
    const start = at + (groups.image ? 2 : 1);
    return [link(groups.image ? "" : groups.target, inlineNodes(text, start, start + groups.label.length, options), options)];
  }
  if (groups.del) return [inner(groups.del, "del")];
  const strong = groups.strong ?? groups.strong2;
  return [strong ? inner(strong, "strong") : inner(groups.em ?? groups.em2, "em")];
}

/** A document's link is followed only when it leads to a page, and tells that page nothing of this one. */
function link(target, content, { links }) {
  if (!links || !/^https?:\/\//i.test(target)) return h("span", {}, content);
  return h("a", { href: target, rel: "noreferrer noopener", target: "_blank" }, content);
}

/** Plain text with its marks; the part in the best sentence is in a <span class="best">. */
export function markedNodes(text, from, to, { marks = [], best = null }) {
  if (from >= to) return [];
  if (!best || best[1] <= from || best[0] >= to) return cut(text, from, to, marks);
  const [start, end] = [Math.max(from, best[0]), Math.min(to, best[1])];
  return [...cut(text, from, start, marks), h("span", { class: "best" }, cut(text, start, end, marks)), ...cut(text, end, to, marks)];
}

function cut(text, from, to, marks) {
  const nodes = [];
  let at = from;
  for (const [start, end] of marks) {
    if (end <= at || start >= to) continue;
    if (start > at) nodes.push(text.slice(at, start));
    const stop = Math.min(end, to);
    nodes.push(h("mark", {}, text.slice(Math.max(at, start), stop)));
    at = stop;
  }
  if (at < to) nodes.push(text.slice(at, to));
  return nodes;
}
