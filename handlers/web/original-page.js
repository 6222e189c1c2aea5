// A web page as it was, without what would run or be loaded. The file itself is never changed.
//
// The browser parses it without running anything. It is put into a frame whose policy forbids scripts and requests: what is
// removed here would be refused there, with an error in the console for each.
import { h } from "./dom.js";

const FRAME = new URL("./original-frame.html", import.meta.url);
const PRESCAN = 1024; // bytes in which a page names its encoding
const BOMS = [["\xef\xbb\xbf", "utf-8"], ["\xff\xfe", "utf-16le"], ["\xfe\xff", "utf-16be"]];
const CHARSET = /<meta[^>]*charset\s*=\s*["']?\s*([\w-]+)/i;
const TAG = /<[a-z][^>]*>/gi;
const HANDLER = /([\s"'/])on(?=[a-z]+\s*=)/gi;
const MOST_BYTES = 8 << 20; // larger ones would hold this page, too
const REMOVED = "script, link, base, meta[http-equiv], iframe, frame, object, embed, applet, audio, video, source, track";
const LOADING = new Set(["src", "srcset", "background", "poster", "data", "ping", "action", "formaction", "manifest", "lowsrc"]);
const KEPT = /^\s*(?:#|data:image\/)/i;
const CSS_IMPORT = /@import\b[^;]*;?/gi;
const CSS_URL = /url\(\s*(?:"([^"]*)"|'([^']*)'|([^)]*?))\s*\)/gi;

/** The frame with the page at `address`, put into `place`. Raises an error that says why it cannot be shown. */
export async function showPage(place, address, doc, signal) {
  if (doc.size > MOST_BYTES) throw new Error("The page is too large to be shown here.");
  const frame = h("iframe", { src: FRAME, sandbox: "allow-same-origin", title: `The original page ${doc.name}` });
  const framed = new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
  place.append(frame);
  const [answer] = await Promise.all([fetch(address, { signal }), framed]);
  if (!answer.ok) throw new Error(`The server answered with status ${answer.status}.`);
  const text = decoded(new Uint8Array(await answer.arrayBuffer()));
  if (signal.aborted) return;
  // By the parser of the frame: what it makes is under the frame's policy, which takes the page's own styles.
  const page = new frame.contentWindow.DOMParser().parseFromString(withoutHandlers(text), "text/html");
  quieten(page);
  const target = frame.contentDocument;
  target.replaceChild(target.adoptNode(page.documentElement), target.documentElement);
}

/** The text of a page: in the encoding that it names, else UTF-8, else what old pages are in. */
function decoded(bytes) {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, PRESCAN));
  const named = BOMS.find(([bom]) => start.startsWith(bom))?.[1] ?? CHARSET.exec(start)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(named, { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** The attributes that run something are an error already when they are parsed. Those that this misses run nothing either. */
function withoutHandlers(text) {
  return text.replace(TAG, (tag) => tag.replace(HANDLER, "$1data-on"));
}

function quieten(page) {
  for (const node of page.querySelectorAll(REMOVED)) node.remove();
  for (const style of page.querySelectorAll("style")) style.textContent = quietCss(style.textContent);
  for (const node of page.querySelectorAll("*")) for (const { name, value } of [...node.attributes]) quietAttribute(node, name, value);
}

function quietAttribute(node, name, value) {
  const short = name.toLowerCase().replace(/^xlink:/, "");
  if (short === "href" && !KEPT.test(value)) {
    node.removeAttribute(name);
    if (node.localName === "a" && !node.title) node.title = value; // where it led
  } else if (short.startsWith("on") || ["target", "autofocus"].includes(short) || (LOADING.has(short) && !KEPT.test(value))) {
    node.removeAttribute(name);
  } else if (value.includes("(")) {
    const quiet = quietCss(value);
    if (short === "style" || quiet !== value) node.setAttribute(name, quiet);
  }
}

function quietCss(text) {
  const url = (all, ...found) => (KEPT.test(found.slice(0, 3).find((each) => each !== undefined) ?? "") ? all : "none");
  return text.replace(CSS_IMPORT, "").replace(CSS_URL, url);
}
