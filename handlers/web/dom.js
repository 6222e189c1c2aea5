// Builds DOM elements. Strings always become text nodes: no code of the page parses data as HTML.

/** An element with attributes (`on…` are listeners; null, undefined and false are left out) and children. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

let fields = 0;

/** A labelled field: `field("Name", h("input", …), "a hint")`. */
export function field(label, input, hint) {
  fields += 1;
  input.id = `field-${fields}`;
  if (hint) input.setAttribute("aria-describedby", `hint-${fields}`);
  return h("div", { class: "field" }, h("label", { class: "label", for: input.id }, label), input,
    hint ? h("span", { class: "hint", id: `hint-${fields}` }, hint) : null);
}

/**
 * Replace the children of a list by `nodes`. Nodes that remain are not moved, and the focus is restored, since lists are
 * redrawn as documents arrive.
 */
export function replaceNodes(list, nodes) {
  const key = (node) => node?.getAttribute("href") ?? node?.dataset.key;
  const focused = list.contains(document.activeElement) ? key(document.activeElement) : null;
  const kept = new Set(nodes);
  for (const node of [...list.childNodes]) if (!kept.has(node)) node.remove();
  nodes.forEach((node, position) => {
    if (list.childNodes[position] !== node) list.insertBefore(node, list.childNodes[position] ?? null);
  });
  if (!focused || list.contains(document.activeElement)) return;
  [...list.querySelectorAll("a, input, button, summary")].find((node) => key(node) === focused)?.focus();
}

/** Returns a function from items to rows; `build(item)` is called only for changed items, so that open details stay open. */
export function cachedRows(build) {
  let rows = new Map();
  return (items) => {
    const fresh = items.map((item) => {
      const text = JSON.stringify(item);
      const known = rows.get(item.id);
      return [item.id, known?.text === text ? known : { text, node: build(item) }];
    });
    rows = new Map(fresh);
    return fresh.map(([, { node }]) => node);
  };
}

/** What is shown in place of a view that this user may not open. */
export function refusal(title, sentence) {
  return { title, node: h("div", { class: "card stack" }, h("h1", {}, title), h("p", {}, sentence), h("p", {}, h("a", { href: "#/" }, "To the search"))) };
}

/** An error message beside the action that failed; screen readers announce it. */
export function errorLine() {
  const line = h("p", { class: "error", role: "alert", hidden: true });
  return {
    node: line,
    show(error) {
      line.textContent = error.message;
      line.hidden = false;
    },
    clear() {
      line.textContent = "";
      line.hidden = true;
    },
  };
}

/** Run `action` with `button` disabled, so that nothing is sent twice; an error is shown in `errors`. */
export async function runGuarded(button, errors, action) {
  errors.clear();
  button.disabled = true;
  try {
    await action();
  } catch (error) {
    if (error.name !== "AbortError") errors.show(error);
  } finally {
    button.disabled = false;
  }
}
