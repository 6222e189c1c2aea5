// Operations across collections: those that run or wait, live, and those that have ended. The filters are in the address.
import { request, url } from "./api.js";
import { cachedRows, errorLine, h, replaceNodes, runGuarded } from "./dom.js";
import { askPermission, permission } from "./notifications.js";
import { OperationCard } from "./operation-card.js";
import { operationChart } from "./operation-chart.js";
import { operationRow } from "./operation-list.js";
import { operationTimeline } from "./operation-timeline.js";

const PAGE = 20;
const TICK_MS = 1_000;
const STATES = [["", "All"], ["running", "Running"], ["waiting", "Waiting"], ["ended", "Ended"]];
const TYPES = [["", "All kinds"], ["index", "First scans"], ["append", "Scans"], ["reindex", "Reindexes"], ["remove_source", "Removals"]];
const OUTCOMES = [["", "Any outcome"], ["completed", "Done"], ["failed", "Failed"], ["cancelled", "Cancelled"]];
const ACTIVE = new Set(["queued", "processing"]);

export function operationsView(app, _ids, parameters, signal) {
  const { feed, collectionStore } = app;
  const filters = Object.fromEntries(["state", "collection", "type", "outcome"].map((name) => [name, parameters.get(name) ?? ""]));
  const active = activeList(feed, signal);
  const ended = endedList(collectionStore, signal);
  const connection = h("p", { class: "connection", role: "status" });
  const tabs = STATES.map(([value, text]) => {
    const count = h("span", { class: "count" });
    const button = h("button", { type: "button", onclick: () => choose({ state: value }) }, text, count);
    return { value, button, count };
  });
  const select = (name, label, options) => h("select", { "aria-label": label, onchange: (event) => choose({ [name]: event.target.value }) },
    options.map(([value, text]) => h("option", { value, selected: value === filters[name] }, text)));
  const collections = select("collection", "Collection", []);
  const types = select("type", "Kind", TYPES);
  const outcomes = select("outcome", "Outcome", OUTCOMES);

  function choose(change) {
    Object.assign(filters, change);
    const given = Object.entries(filters).filter(([, value]) => value);
    const address = given.length ? `#/operations?${new URLSearchParams(given)}` : "#/operations";
    if (location.hash !== address) history.pushState(null, "", address);
    draw();
    if ("collection" in change || "type" in change || "outcome" in change) ended.load(filters);
  }

  function drawCollections() {
    const options = [["", "All collections"], ...collectionStore.collections.map(({ id, name }) => [id, name])];
    replaceNodes(collections, options.map(([value, text]) => h("option", { value, selected: value === filters.collection }, text)));
  }

  function draw() {
    const counts = active.draw(filters);
    for (const { value, button, count } of tabs) {
      button.setAttribute("aria-pressed", String(value === filters.state));
      count.textContent = counts[value] ? ` ${counts[value]}` : "";
    }
    outcomes.hidden = !["", "ended"].includes(filters.state);
    ended.node.hidden = !["", "ended"].includes(filters.state);
    const { state, reason } = feed.connection;
    connection.textContent = state === "live" ? "" : state === "stopped"
      ? `Live progress has stopped: ${reason}` : "Reconnecting… what is shown may be older than it looks.";
  }

  feed.addEventListener("change", draw, { signal });
  feed.addEventListener("removed", draw, { signal });
  feed.addEventListener("connection", draw, { signal });
  feed.addEventListener("ended", () => ended.load(filters), { signal });
  collectionStore.addEventListener("change", drawCollections, { signal });
  const timer = setInterval(draw, TICK_MS); // the time of a stage goes on while no message comes
  signal.addEventListener("abort", () => clearInterval(timer));
  drawCollections();
  draw();
  ended.load(filters);
  return {
    node: h("div", { class: "stack operations" },
      h("header", { class: "row" }, h("h1", {}, "Operations"), notifyButton()),
      h("div", { class: "filterbar" },
        h("div", { class: "segments", role: "group", "aria-label": "State" }, tabs.map(({ button }) => button)), collections, types, outcomes),
      connection, active.node, ended.node),
    title: "Operations",
  };
}

/** Running and waiting operations, each with its stages and its pace. */
function activeList(feed, signal) {
  const shown = new Map();
  const running = h("section", { class: "stack", "aria-labelledby": "running-heading" }, h("h2", { id: "running-heading" }, "Running"));
  const waiting = h("section", { class: "stack", "aria-labelledby": "waiting-heading" }, h("h2", { id: "waiting-heading" }, "Waiting"));
  const empty = h("div", { class: "card nothing" }, h("p", {}, "Nothing runs now."),
    h("p", { class: "hint" }, "An operation begins when you add a folder, scan it again or reindex. Folders that are watched are scanned by themselves."),
    h("p", {}, h("a", { class: "button", href: "#/collections" }, "To the collections")));
  const none = h("p", { class: "empty" }, "Nothing waits.");
  signal.addEventListener("abort", () => shown.clear());

  function part(entry) {
    if (!shown.has(entry.id)) {
      const card = new OperationCard(entry, feed.collectionStore, () => feed.remove(entry.id));
      const timeline = operationTimeline();
      const chart = operationChart();
      card.bar.after(timeline.node);
      card.counts.after(chart.node);
      shown.set(entry.id, { card, timeline, chart });
    }
    const { card, timeline, chart } = shown.get(entry.id);
    card.connection(entry.connection.state, entry.connection.reason);
    card.draw();
    timeline.draw(entry.state);
    chart.draw(entry.state);
    return card.node;
  }

  /** Draw those that the filters let through; returns how many there are by state. */
  function draw({ state, collection, type }) {
    const entries = [...feed.entries.values()].filter((entry) => !entry.state.ended
      && (!collection || entry.collectionId === collection) && (!type || entry.state.type === type));
    const queued = entries.filter((entry) => entry.state.status === "queued");
    const processing = entries.filter((entry) => entry.state.status !== "queued");
    keep(running, processing.map(part));
    keep(waiting, queued.map(part));
    const wanted = (value) => !state || state === value;
    running.hidden = !wanted("running") || processing.length === 0;
    waiting.hidden = !wanted("waiting") || queued.length === 0;
    empty.hidden = !(state === "running" || !state) || processing.length > 0 || (!state && queued.length > 0);
    none.hidden = state !== "waiting" || queued.length > 0;
    for (const [id] of shown) if (!entries.some((entry) => entry.id === id)) shown.delete(id);
    return { running: processing.length, waiting: queued.length };
  }

  return { node: h("div", { class: "stack" }, running, waiting, empty, none), draw };
}

/** Replace what follows the heading of a section. */
function keep(section, nodes) {
  replaceNodes(section, [section.firstElementChild, ...nodes]);
}

/** Operations that have ended, the newest first. */
function endedList(collectionStore, signal) {
  const list = h("ul", { class: "plain" });
  const empty = h("p", { class: "empty", hidden: true }, "Nothing has ended yet.");
  const errors = errorLine();
  const more = h("button", { type: "button", hidden: true, onclick: () => runGuarded(more, errors, () => read(latest)) }, "Earlier operations");
  const rows = cachedRows((operation) => operationRow(operation, {
    id: operation.collection_id, name: collectionStore.get(operation.collection_id)?.name ?? "A collection",
  }));
  let query = {};
  let items = [];
  let cursor = null;
  let latest = 0;

  async function load({ collection, type, outcome }) {
    latest += 1;
    query = { collection_id: collection, type, status: outcome, limit: PAGE };
    cursor = null;
    items = [];
    await runGuarded(more, errors, () => read(latest));
  }

  async function read(number) {
    const page = await request("GET", url(["operations"], { ...query, cursor }), { signal });
    if (number !== latest) return;
    const known = new Set(items.map(({ id }) => id));
    items.push(...page.items.filter(({ id, status }) => !ACTIVE.has(status) && !known.has(id)));
    cursor = page.next_cursor;
    replaceNodes(list, rows(items));
    empty.hidden = items.length > 0 || Boolean(cursor);
    more.hidden = !cursor;
  }

  return {
    node: h("section", { class: "card stack", "aria-labelledby": "ended-heading" }, h("h2", { id: "ended-heading" }, "Ended"), list, empty, errors.node, more),
    load,
  };
}

/** Asks for permission to notify, on a click; nothing where it was decided already. */
function notifyButton() {
  if (permission() !== "default") return h("span", { class: "hint" }, permission() === "granted" ? "You are notified when one ends." : "");
  const button = h("button", {
    type: "button",
    onclick: async () => {
      await askPermission();
      button.replaceWith(notifyButton());
    },
  }, "Notify me when one ends");
  return button;
}
