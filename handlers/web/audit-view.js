// The audit trail, for administrators: who did what, the newest first, filtered on the server.
import { request, url } from "./api.js";
import { errorLine, field, h, refusal } from "./dom.js";

const OUTCOMES = [["", "any"], ["done", "done"], ["refused", "refused"], ["failed", "failed"]];
const PAGE = 100;

export function auditView({ user }, _ids, _query, signal) {
  if (!user.is_admin) return refusal("Audit trail", "This page is for administrators.");
  const list = h("ul", { class: "plain" });
  const empty = h("p", { class: "empty", hidden: true }, "No such events.");
  const errors = errorLine();
  const older = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => load(false) }, "Older events");
  const input = (name, placeholder) => h("input", { name, autocomplete: "off", maxlength: 200, placeholder });
  const filters = {
    user: input("user"),
    action: input("action", "collection.delete"),
    target: input("target"),
    address: input("address"),
    outcome: h("select", { name: "outcome" }, OUTCOMES.map(([value, text]) => h("option", { value }, text))),
  };
  let asked = {};
  let cursor = null;
  let latest = 0;

  async function load(fromTheStart) {
    const number = ++latest; // an answer that was overtaken by another filter is not shown
    if (fromTheStart) {
      asked = Object.fromEntries(Object.entries(filters)
        .map(([name, { value }]) => [name, value.trim()]).filter(([, value]) => value));
      cursor = null;
    }
    try {
      const query = cursor ? { ...asked, limit: PAGE, cursor } : { ...asked, limit: PAGE };
      const page = await request("GET", url(["audit"], query));
      if (signal.aborted || number !== latest) return;
      const rows = page.items.map(row);
      if (fromTheStart) list.replaceChildren(...rows);
      else list.append(...rows);
      cursor = page.next_cursor;
      older.hidden = !cursor;
      empty.hidden = list.children.length > 0;
      errors.clear();
    } catch (error) {
      if (!signal.aborted && number === latest) errors.show(error);
    }
  }

  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      load(true);
    },
  },
  h("div", { class: "fields narrow" },
    field("User", filters.user), field("Action", filters.action),
    field("Target", filters.target), field("Address", filters.address), field("Outcome", filters.outcome)),
  h("div", { class: "row" }, h("button", { class: "primary" }, "Show")));
  const node = h("div", { class: "stack" },
    h("header", { class: "stack tight" }, h("h1", {}, "Audit trail"),
      h("p", { class: "hint" }, "Who did what, and what was refused. Nobody can change it here.")),
    h("section", { class: "card", "aria-label": "Filter" }, form),
    h("section", { class: "card stack", "aria-label": "Events" }, list, empty, errors.node, older));
  load(true);
  return { node, title: "Audit trail" };
}

const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const exactly = (text) => EXACT.format(new Date(text));

function row(event) {
  const details = Object.entries(event.details).map(([name, value]) => `${name}: ${value}`);
  const facts = [event.credential && `by ${event.credential.split(":")[0]}`, ...details, event.request_id && `request ${event.request_id}`];
  const bad = event.outcome !== "done";
  return h("li", { class: "stack tight" },
    h("p", { class: "named" }, h("span", {}, event.action),
      h("span", { class: "tag status", "data-status": bad ? "failed" : null }, event.outcome)),
    h("p", {}, [event.username || "not signed in", event.address, event.target].filter(Boolean).join(" · ")),
    h("p", { class: "hint" }, h("time", { datetime: event.at }, exactly(event.at)),
      ...facts.filter(Boolean).map((fact) => ` · ${fact}`)));
}
