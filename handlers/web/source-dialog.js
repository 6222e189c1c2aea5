// The dialog that adds a source of another kind than a folder: the server says which kinds there are, and their fields.
import { openDialog } from "./dialog.js";
import { field, h } from "./dom.js";

/** An input for one field of a kind, as {node, value}; `value()` is null where the server's default is meant. */
function input({ name, label, type, required, hint, default: standard, choices, low, high }) {
  const common = { name, required, autocomplete: "off" };
  if (type === "choice") {
    const select = h("select", common, choices.map((each) => h("option", { value: each, selected: each === standard }, each)));
    return { node: field(label, select, hint), value: () => select.value };
  }
  if (type === "list") {
    const area = h("textarea", { ...common, rows: 3 });
    const lines = () => area.value.split("\n").map((line) => line.trim()).filter(Boolean);
    return { node: field(label, area, hint), value: lines };
  }
  if (type === "integer") {
    const number = h("input", { ...common, type: "number", min: low, max: high, step: 1, value: standard });
    return { node: field(label, number, hint), value: () => (number.value === "" ? null : Number(number.value)) };
  }
  const secret = type === "secret";
  const text = h("input", { ...common, type: secret ? "password" : "text", autocomplete: secret ? "new-password" : "off" });
  return { node: field(label, text, hint), value: () => (secret ? text.value : text.value.trim()) || null };
}

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
    submit: {
      text: "Add source",
      action: () => {
        const options = Object.entries(inputs).map(([name, each]) => [name, each.value()]);
        return add(choice.value, Object.fromEntries(options.filter(([, value]) => value !== null)));
      },
    },
    signal,
  });
}
