// For administrators: the servers, their workers and memory, the stores, the queue, and the last lines of the log.
import { request, url } from "./api.js";
import { errorLine, h, refusal, replaceNodes } from "./dom.js";
import { bytes, date, duration, number, plural } from "./format.js";

const REFRESH_MS = 5_000;
const LINES = 200;
const LEVELS = [["", "All lines"], ["warning", "Warnings and errors"]];
const LOUD = new Set(["warning", "error", "critical"]);
const ROLES = { question: "answers queries", batch: "reads and embeds", tracing: "prepares a model" };
const ENGINE_STATES = { ready: ["answers", "completed"], away: ["away", "failed"], checking: ["is asked", "queued"] };
const ISOLATION = [["network", "the network"], ["files", "other files"], ["signals", "other processes"], ["privileges", "new privileges"],
  ["system_calls", "needless system calls"]];

export function systemView({ user }, _ids, _query, signal) {
  if (!user.is_admin) return refusal("System", "This page is for administrators.");
  const errors = errorLine();
  const parts = { summary: h("dl", { class: "tiles" }), servers: h("tbody"), cluster: clusterSection(), workers: h("tbody"), stores: h("tbody"), isolation: h("p", { class: "hint" }), engine: h("p", { class: "hint" }) };
  const log = logSection(signal);
  let timer = 0;

  async function refresh() {
    try {
      draw(parts, await request("GET", url(["status"]), { signal }));
      errors.clear();
      await log.refresh();
    } catch (error) {
      if (error.name === "AbortError") return;
      errors.show(error);
    }
    if (!signal.aborted) timer = setTimeout(refresh, REFRESH_MS);
  }

  signal.addEventListener("abort", () => clearTimeout(timer));
  refresh();
  const node = h("div", { class: "stack system" },
    h("h1", {}, "System"), errors.node, parts.summary,
    table("Servers", ["Server", "State", "Last sign of life", "Work", "Sees", "Models"], parts.servers), parts.cluster,
    table("Processes of this server", ["Process", "Role", "Memory"], parts.workers, parts.isolation),
    table("Stores", ["Store", "Where", "State", "Memory"], parts.stores, parts.engine), log.node);
  return { node, title: "System" };
}

function draw(parts, status) {
  const own = status.rss_bytes + status.workers.reduce((sum, { uss_bytes: size }) => sum + size, 0);
  const { running, waiting, longest_wait_s: wait } = status.queue;
  replaceNodes(parts.summary, [
    tile("Version", status.version, `Python ${status.python} on ${status.platform}`),
    tile("Memory", bytes(own), `this server and ${plural(status.workers.length, "worker")}`),
    tile("Queue", `${number(running)} running`, waiting ? `${number(waiting)} waiting, up to ${duration(wait)}` : "nothing waits"),
    tile("Servers", number(status.instances.filter(({ state }) => state === "alive").length), "alive"),
  ]);
  replaceNodes(parts.servers, status.instances.map(serverRow));
  drawCluster(parts.cluster, status.cluster);
  replaceNodes(parts.workers, [row([status.pid, "server", bytes(status.rss_bytes)]),
    ...status.workers.map((one) => row([one.pid, ROLES[one.role] ?? one.role, bytes(one.uss_bytes)]))]);
  replaceNodes(parts.stores, [...[["MongoDB", status.stores.mongo], ["Redis", status.stores.redis]].map(([name, store]) => row(
    [name, store.where, tag(store.answers ? "answers" : "away", store.answers ? "completed" : "failed"),
      store.memory_bytes === null ? "–" : bytes(store.memory_bytes)])), ...(status.engine ? [engineRow(status.engine)] : [])]);
  parts.engine.textContent = engineText(status.engine);
  parts.isolation.textContent = isolationText(status.isolation);
}

function serverRow(one) {
  const up = duration((Date.parse(one.seen_at) - Date.parse(one.started_at)) / 1000);
  const work = [plural(one.running, "operation"), one.refused ? `${number(one.refused)} left to others` : "", `${plural(one.workers, "worker")}, ${one.pool}`];
  return row([
    lines(one.label ? `${one.host} · ${one.label}` : one.host, `process ${one.pid}, ${one.peer_url ?? one.url}`),
    tag(one.state, one.state === "alive" ? "completed" : "failed"),
    lines(ago(one.seen_at), `up ${up}, version ${one.version}`),
    lines(work.filter(Boolean).join("; "), `load ${one.load.toFixed(2)} a processor, ${bytes(one.free_bytes)} free`),
    one.roots.length ? lines(...one.roots) : "no folders of its own",
    lines(modelName(one.models[0]), ...one.models.slice(1), one.device),
  ]);
}

function engineRow({ version, address, collections, state, since }) {
  const [text, status] = ENGINE_STATES[state];
  return row([lines("Milvus", ...(version ? [`version ${version}`] : [])),
    collections === null ? address : lines(address, plural(collections, "collection")), lines(tag(text, status), `since ${date(since)}`), "–"]);
}

function engineText(engine) {
  if (engine?.state !== "away") return "";
  return `Milvus is away: searches by meaning fail, others answer by words alone, and what is indexed waits. ${engine.problem}`;
}

function clusterSection() {
  const body = h("tbody"), note = h("p", { class: "hint" });
  const node = table("Remote workers", ["Worker", "State", "Last sign of life", "Tasks"], body, note);
  node.hidden = true;
  return Object.assign(node, { body, note });
}

function drawCluster(section, cluster) {
  section.hidden = cluster === null;
  if (!cluster) return;
  section.note.textContent = cluster.connected ? `The cluster of this server, at ${cluster.scheduler}.`
    : `The cluster at ${cluster.scheduler} is away: this server's own workers do its work.`;
  replaceNodes(section.body, cluster.workers.map((one) => row([
    lines(one.host, one.name), one.tasks ? tag("ready", "completed") : tag("another version", "failed"), `${duration(one.seen_s)} ago`,
    `${number(one.running)} of ${number(one.tasks)}`])));
}

function isolationText(isolation) {
  const closed = ISOLATION.filter(([name]) => isolation[name]).map(([, text]) => text);
  const kept = closed.length ? `Workers that read files are kept from ${closed.join(", ")}.` : "";
  return [kept, ...isolation.problems].filter(Boolean).join(" ");
}

function logSection(signal) {
  const lines = h("ol", { class: "log", tabindex: 0, "aria-label": "Log lines" });
  const level = h("select", { "aria-label": "Lines", onchange: () => refresh() }, LEVELS.map(([value, text]) => h("option", { value }, text)));
  let drawn = "";

  async function refresh() {
    const { items } = await request("GET", url(["status", "log"], { limit: LINES }), { signal });
    const wanted = items.filter((line) => !level.value || LOUD.has(line.level));
    const text = JSON.stringify(wanted);
    if (text === drawn) return;
    drawn = text;
    const atEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 8;
    lines.replaceChildren(...(wanted.length ? wanted.map(logLine) : [h("li", { class: "hint" }, "No such lines.")]));
    if (atEnd) lines.scrollTop = lines.scrollHeight;
  }

  const node = h("section", { class: "card stack", "aria-labelledby": "log-heading" },
    h("div", { class: "row filterbar" }, h("h2", { id: "log-heading" }, "Log of this server"), level), lines);
  return { node, refresh };
}

function logLine({ at, level, logger, message }) {
  return h("li", { "data-level": level }, h("time", { datetime: at, title: date(at) }, at.slice(11, 19)), " ",
    h("span", { class: "level" }, level), ` ${logger.replace(/^semantik\.?/, "")} ${message}`);
}

function table(title, heads, body, note = null) {
  const id = `table-${title.toLowerCase().replaceAll(" ", "-")}`;
  return h("section", { class: "card stack", "aria-labelledby": id }, h("h2", { id }, title),
    h("div", { class: "scroll", role: "group", tabindex: 0, "aria-label": `${title}, scrollable` },
      h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), body)), note);
}

const row = (cells) => h("tr", {}, cells.map((cell) => h("td", {}, cell instanceof Node ? cell : String(cell))));
const lines = (first, ...more) => h("div", {}, h("div", {}, first), more.map((text) => h("div", { class: "hint" }, text)));
const ago = (time) => `${duration(Math.max(0, (Date.now() - Date.parse(time)) / 1000))} ago`;
const modelName = (path) => path.split("/").at(-1);
const tag = (text, status) => h("span", { class: "tag status", "data-status": status }, text);
const tile = (name, value, more) => h("div", { class: "card tile" }, h("dt", { class: "hint" }, name), h("dd", { class: "value" }, value), h("dd", { class: "hint" }, more));
