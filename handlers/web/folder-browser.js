// Choosing a folder of the server by clicking through it: nobody types blind. One level at a time, from the open roots.
import { request, url } from "./api.js";
import { errorLine, h } from "./dom.js";
import { bytes, plural } from "./format.js";

/** The steps from a root to a path, as [[name, path], …]; a path outside of the roots has one step. */
function steps(path, roots) {
  const root = roots.filter((each) => path === each || path.startsWith(each.endsWith("/") ? each : `${each}/`)).sort((a, b) => b.length - a.length)[0];
  if (root === undefined) return [[path, path]];
  const found = [[root, root]];
  let at = root.replace(/\/$/, "");
  for (const name of path.slice(at.length).split("/").filter(Boolean)) {
    at += `/${name}`;
    found.push([name, at]);
  }
  return found;
}

/** `onOpen(path, byUser)`: a folder is shown; `onChoose(path)`: it was chosen. Returns {node, open(path)}. */
export function folderBrowser({ onOpen, onChoose, signal }) {
  const crumbs = h("ol", { class: "crumbs", "aria-label": "Path" });
  const list = h("ul", { class: "folders", tabindex: -1 });
  const state = h("p", { class: "hint", role: "status" });
  const choose = h("button", { type: "button", class: "primary", disabled: true, onclick: () => onChoose(shown) }, "Use this folder");
  const errors = errorLine();
  const node = h("div", { class: "folder-browser", role: "group", "aria-label": "Folders of the server" },
    crumbs, list, h("div", { class: "row" }, state, choose), errors.node);
  let loading = new AbortController();
  let roots = null;
  let shown = null;

  async function open(path, moveFocus = false) {
    loading.abort();
    loading = new AbortController();
    const current = AbortSignal.any([loading.signal, signal]);
    list.setAttribute("aria-busy", "true");
    errors.clear();
    try {
      roots ??= (await request("GET", url(["folders"]), { signal: current })).folders.map((each) => each.path);
      if (path === null && roots.length === 1) path = roots[0];
      const found = path === null ? { path: null, parent: null, folders: roots.map((each) => ({ name: each, path: each })), files: 0, bytes: 0 }
        : await request("GET", url(["folders"], { path }), { signal: current });
      draw(found, moveFocus);
      if (moveFocus) (list.querySelector("button") ?? list).focus();
    } catch (error) {
      if (error.name !== "AbortError") errors.show(error);
    } finally {
      list.removeAttribute("aria-busy");
    }
  }

  function draw({ path, folders, files, bytes: size, truncated }, byUser) {
    shown = path;
    choose.disabled = path === null;
    const trail = path === null ? [] : steps(path, roots);
    const start = roots.length > 1 ? [["All folders", null]] : [];
    crumbs.replaceChildren(...[...start, ...trail].map(([name, at], place, all) => h("li", {}, place === all.length - 1 && path !== null
      ? h("span", { "aria-current": "true" }, name) : h("button", { type: "button", class: "quiet", onclick: () => open(at, true) }, name))));
    list.replaceChildren(...folders.map((each) => h("li", {}, h("button", { type: "button", onclick: () => open(each.path, true) }, each.name))));
    if (!roots.length) state.textContent = "No folders are open to you for indexing: an administrator opens them.";
    else if (path === null) state.textContent = "These folders are open to you.";
    else state.textContent = [folders.length ? plural(folders.length, "folder") : "no folders", `${plural(files, "file")} directly here${files ? `, ${bytes(size)}` : ""}`,
      truncated ? "and more that are not shown" : ""].filter(Boolean).join(" · ");
    if (path !== null && path !== "/") onOpen(path, byUser); // nobody means to index the whole machine
  }

  signal.addEventListener("abort", () => loading.abort());
  return { node, open };
}
