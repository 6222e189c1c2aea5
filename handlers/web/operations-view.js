// Operations across collections: those that run or wait, live, and those that have ended.
import { h } from "./dom.js";
import { operationList } from "./operation-list.js";

export function operationsView(app, _ids, _query, signal) {
  const list = operationList(null, () => "", signal);
  app.feed.addEventListener("ended", list.refresh, { signal });
  list.refresh();
  return { node: h("div", { class: "stack" }, h("h1", {}, "Operations"), list.node), title: "Operations" };
}
