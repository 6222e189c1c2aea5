// Alerts: the saved searches of the user, what they have found lately, and webhooks. `#/alerts?q=…&in=…` fills in the form.
import { request, url } from "./api.js";
import { deliveryList } from "./delivery-list.js";
import { openDialog } from "./dialog.js";
import { errorLine, field, h, runGuarded } from "./dom.js";
import { date, plural } from "./format.js";
import { loadedList } from "./loaded-list.js";
import { MODES, searchFrom } from "./search-address.js";
import { webhooksSection } from "./webhooks-section.js";

const SHOWN = 20; // alerts

export function alertsView({ collectionStore }, _ids, query, signal) {
  const found = foundSection(signal);
  const searches = searchesSection(collectionStore, query, signal, found.refresh);
  const webhooks = webhooksSection(signal, searches.refresh);
  searches.webhooks = webhooks.list;
  const node = h("div", { class: "stack" },
    h("header", { class: "stack tight" }, h("h1", {}, "Alerts"),
      h("p", { class: "hint" }, "A saved search is done again for whatever is indexed. Each passage that matches strongly is told once.")),
    found.node, searches.node, searches.form, webhooks.node);
  webhooks.refresh().then(searches.refresh);
  found.follow();
  return { node, title: "Alerts" };
}

function foundSection(signal) {
  const list = h("ul", { class: "plain" });
  const empty = h("p", { class: "empty", hidden: true }, "Nothing yet. What is indexed from now on is looked at.");
  const errors = errorLine();
  const shown = [];

  function draw() {
    empty.hidden = shown.length > 0;
    list.replaceChildren(...shown.map(row));
  }

  async function refresh() {
    try {
      const { items } = await request("GET", url(["alerts"], { limit: SHOWN }), { signal });
      shown.splice(0, shown.length, ...items);
      draw();
      errors.clear();
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  async function follow() {
    await refresh();
    if (signal.aborted) return;
    const source = new EventSource("/api/v2/alerts/events");
    source.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.type !== "search_matched" || shown.some(({ id }) => id === message.data.id)) return;
      shown.unshift(message.data);
      shown.length = Math.min(shown.length, SHOWN);
      draw();
    });
    signal.addEventListener("abort", () => source.close());
  }

  const node = h("section", { class: "card stack", "aria-labelledby": "found-heading" },
    h("h2", { id: "found-heading" }, "Found lately"), list, empty, errors.node);
  return { node, refresh, follow };
}

function row(alert) {
  const { collection, document: file, page, search } = alert;
  const href = `#/collections/${encodeURIComponent(collection.id)}/documents/${encodeURIComponent(file.id)}`;
  const facts = [search.name, collection.name, page === null ? "" : `page ${page}`, date(alert.found_at)];
  return h("li", { class: "stack tight" },
    h("p", { class: "named" }, h("a", { href }, file.title || file.name)),
    h("p", { class: "hint" }, facts.filter(Boolean).join(" · ")),
    h("p", { class: "alert-passage" }, alert.passage));
}

function searchesSection(collectionStore, query, signal, onDeleted) {
  const { nodes, errors, refresh } = loadedList(["saved-searches"], searchRow, "No saved searches yet.", signal);
  const fresh = h("div", { role: "status" });
  const section = { webhooks: [], refresh };

  async function change(button, search, body) {
    await runGuarded(button, errors, async () => {
      await request("PATCH", url(["saved-searches", search.id]), { body, signal });
      await refresh();
    });
  }

  function searchRow(search) {
    const names = search.collection_ids?.map((id) => collectionStore.get(id)?.name ?? "a collection that is gone");
    const last = search.last_alert_at ? `, the last one ${date(search.last_alert_at)}` : "";
    const facts = [names ? `in ${names.join(", ")}` : "in all collections", `${plural(search.alert_count, "alert")}${last}`];
    const button = (text, name, action, kind = "quiet") => {
      const node = h("button", { type: "button", class: kind, "aria-label": `${name}: ${search.name}` }, text);
      node.addEventListener("click", () => action(node));
      return node;
    };
    const check = (text, checked, body) => {
      const input = h("input", { type: "checkbox", checked });
      input.addEventListener("change", () => change(input, search, body(input.checked)));
      return h("label", { class: "check" }, input, text);
    };
    const hooks = section.webhooks.map(({ id, name }) => check(`to ${name}`, search.webhook_ids.includes(id), (on) => ({
      webhook_ids: on ? [...search.webhook_ids, id] : search.webhook_ids.filter((each) => each !== id),
    })));
    return h("li", { class: "stack tight" },
      h("div", { class: "row" },
        h("p", { class: "named" }, h("span", {}, search.name), h("code", {}, search.query),
          h("span", { class: "tag status", "data-status": search.problem ? "failed" : null }, search.paused ? "paused" : MODES.find(([mode]) => mode === search.mode)?.[1] ?? search.mode)),
        h("div", { class: "alert-actions" },
          button(search.paused ? "Go on" : "Pause", search.paused ? "Go on" : "Pause",
            (node) => change(node, search, { paused: !search.paused })),
          button("Feed…", "Feed", () => openFeed(search)),
          button("Delete…", "Delete", () => remove(search), "danger quiet"))),
      h("p", { class: "hint" }, facts.join(" · ")),
      search.problem ? h("p", { class: "error" }, search.problem) : null,
      search.mail ? deliveryList(["saved-searches", search.id], "Mails", signal).nodes : null,
      h("div", { class: "alert-actions" }, check("by mail", search.mail, (mail) => ({ mail })), hooks));
  }

  function openFeed(search) {
    openDialog({
      title: `A feed of “${search.name}”`,
      content: h("p", {}, "An address for a feed reader is made. Whoever has it can read these alerts; an earlier one is no longer good."),
      submit: {
        text: "Make address",
        action: async () => {
          const made = await request("POST", url(["saved-searches", search.id, "feed", "key"]));
          const text = h("input", { readonly: true, value: made.url, spellcheck: "false", onfocus: () => text.select() });
          fresh.replaceChildren(field(`The feed of “${search.name}”`, text, "It cannot be shown again."));
          await refresh();
        },
      },
      signal,
    });
  }

  function remove(search) {
    openDialog({
      title: `Delete “${search.name}”?`,
      content: h("p", {}, "Its alerts are deleted, too."),
      submit: {
        text: "Delete search",
        danger: true,
        action: async () => {
          await request("DELETE", url(["saved-searches", search.id]));
          await Promise.all([refresh(), onDeleted()]);
        },
      },
      cancel: "Keep it",
      signal,
    });
  }

  section.node = h("section", { class: "card stack", "aria-labelledby": "searches-heading" },
    h("h2", { id: "searches-heading" }, "Saved searches"), nodes, fresh);
  section.form = newSearch(collectionStore, searchFrom(query), signal, refresh);
  return section;
}

function newSearch(collectionStore, given, signal, onSaved) {
  const choice = (name, options) => h("select", { name }, options.map(([value, text]) => h("option", { value }, text)));
  const name = h("input", { name: "name", required: true, maxlength: 200, autocomplete: "off", value: given.query.slice(0, 200) });
  const text = h("input", { name: "query", required: true, maxlength: 1000, autocomplete: "off", value: given.query });
  const mode = choice("mode", MODES);
  mode.value = given.mode;
  const where = choice("where", [["", "all your collections"], ...collectionStore.collections.map(({ id, name }) => [id, name])]);
  if (given.collections.length === 1) [where.value] = given.collections;
  const errors = errorLine();
  const submit = h("button", { class: "primary" }, "Save search");
  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      runGuarded(submit, errors, async () => {
        const body = { name: name.value, query: text.value, mode: mode.value, collection_ids: where.value ? [where.value] : null };
        await request("POST", url(["saved-searches"]), { body, signal });
        form.reset();
        name.value = text.value = "";
        await onSaved();
      });
    },
  }, h("div", { class: "fields" }, field("Name", name), field("Query", text, "Also with filters, such as type:pdf.")),
  h("div", { class: "fields" }, field("By", mode), field("In", where)),
  errors.node, h("div", { class: "row" }, submit));
  return h("section", { class: "card stack", "aria-labelledby": "save-heading" }, h("h2", { id: "save-heading" }, "Save a search"), form);
}
