// The dialogs for sources: adding one of another kind than a folder, and the options of one that there is.
// The server says which kinds there are, and their fields.
import { request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { field, h } from "./dom.js";
import { plural, shownPath } from "./format.js";

const lines = (area) => area.value.split("\n").map((line) => line.trim()).filter(Boolean);

/** An input for one field of a kind, as {node, value}; `value()` is null where nothing is to be sent. `now`: its value. */
function input({ name, label, type, required, hint, default: standard, choices, low, high }, now, exists = false) {
  const common = { name, required: required && !(exists && type === "secret"), autocomplete: "off" };
  if (type === "choice") {
    const chosen = now ?? standard;
    const select = h("select", common, choices.map((each) => h("option", { value: each, selected: each === chosen }, each)));
    return { node: field(label, select, hint), value: () => select.value };
  }
  if (type === "list") {
    const area = h("textarea", { ...common, rows: 3, spellcheck: "false" }, (now ?? []).join("\n"));
    return { node: field(label, area, hint), value: () => lines(area) };
  }
  if (type === "integer") {
    const number = h("input", { ...common, type: "number", min: low, max: high, step: 1, value: now ?? standard });
    return { node: field(label, number, hint), value: () => (number.value === "" ? null : Number(number.value)) };
  }
  const secret = type === "secret";
  const text = h("input", { ...common, type: secret ? "password" : "text", autocomplete: secret ? "new-password" : "off", value: secret ? "" : now ?? "" });
  const note = secret && exists ? [hint, "Empty: it stays as it is."].filter(Boolean).join(" ") : hint;
  return { node: field(label, text, note), value: () => (secret ? text.value : text.value.trim()) || (exists && !secret ? "" : null) };
}

const given = (inputs) => Object.fromEntries(Object.entries(inputs).map(([name, each]) => [name, each.value()]).filter(([, value]) => value !== null));

/** `kinds` are those of /source-kinds without the folder; `add(kind, options)` adds the source, or throws. */
export function openSourceDialog(kinds, { signal, add }) {
  const choice = h("select", { name: "kind" }, kinds.map((each) => h("option", { value: each.kind }, each.title)));
  const fields = h("div", { class: "stack" });
  let inputs = {};

  function showFields() {
    const { fields: described } = kinds.find((each) => each.kind === choice.value);
    inputs = Object.fromEntries(described.map((each) => [each.name, input(each)]));
    fields.replaceChildren(...Object.values(inputs).map((each) => each.node));
  }
  choice.addEventListener("change", showFields);
  showFields();
  openDialog({
    title: "Add another source",
    content: [field("Kind", choice), fields,
      h("p", { class: "hint" }, "What is fetched is kept on the server, and fetched again only where it has changed.")],
    submit: { text: "Add source", action: () => add(choice.value, given(inputs)) },
    signal,
  });
}

/** The options of a source: what its kind has, and what its scans pass over. `kind` is that of /source-kinds, if any. */
export function openSourceOptions(collectionId, source, kind, { signal, onChanged }) {
  const described = source.kind === "folder" ? [] : kind?.fields ?? [];
  const fixed = described.filter((each) => each.fixed);
  const inputs = Object.fromEntries(described.filter((each) => !each.fixed).map((each) => [each.name, input(each, source.options[each.name], true)]));
  const exclude = h("textarea", { name: "exclude", rows: 3, spellcheck: "false", placeholder: "drafts/\n*.bak" }, source.exclude.join("\n"));
  const server = h("input", { name: "server", autocomplete: "off", maxlength: 63, value: source.server ?? "" });
  const again = h("input", { type: "checkbox", name: "include_excluded" });
  openDialog({
    title: "Options of this source",
    content: [
      h("p", { class: "folder" }, shownPath(source.path)),
      fixed.length ? h("p", { class: "hint" }, `${fixed.map((each) => each.label).join(", ")} cannot be changed: add another source instead.`) : null,
      Object.values(inputs).map((each) => each.node),
      field("Pass over", exclude, "Names or paths with * and ?, one a line; a slash at the end means a folder. What matches leaves the collection with the next scan, if documents.missing says so."),
      field("Label of the server that reads it", server, "For several servers of which only some see it (the setting label). Empty: any server."),
      source.excluded_count ? h("label", { class: "check" }, again, h("span", {}, `Take ${plural(source.excluded_count, "excluded file")} back`)) : null,
      h("p", { class: "hint" }, "The next scan applies this."),
    ].flat(),
    submit: {
      text: "Save options",
      action: async () => {
        const body = { exclude: lines(exclude), include_excluded: again.checked, server: server.value.trim() || null };
        if (Object.keys(inputs).length) body.options = given(inputs);
        await request("PATCH", url(["collections", collectionId, "sources", source.id]), { body });
        await onChanged();
      },
    },
    signal,
  });
}
