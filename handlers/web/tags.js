// The tags of a document: those that it states itself, and those that users gave it, which can be changed.
import { request, url } from "./api.js";
import { errorLine, h, runGuarded } from "./dom.js";

/** The tags of a document; with `editable` also a field for more. `parts` are those of the document's address. */
export function tagList(doc, parts, editable, signal) {
  const errors = errorLine();
  const list = h("ul", { class: "tags", "aria-label": "Tags" });
  const input = h("input", { name: "tag", "aria-label": "Add a tag", placeholder: "Add a tag", maxlength: 100, autocomplete: "off" });
  const add = h("button", {}, "Add");
  const form = h("form", { class: "row add-tag", hidden: !editable, onsubmit: (event) => {
    event.preventDefault();
    const tags = input.value.split(",").map((tag) => tag.trim()).filter(Boolean);
    if (tags.length) save([...doc.user_tags, ...tags]);
  } }, input, add);
  const node = h("div", { class: "stack tight" }, list, form, errors.node);

  function save(tags) {
    return runGuarded(add, errors, async () => {
      doc = await request("PUT", url([...parts, "tags"]), { body: { tags }, signal });
      input.value = "";
      draw();
    });
  }

  function draw() {
    const own = new Set(doc.user_tags);
    list.replaceChildren(...doc.tags.map((tag) => h("li", { class: "tag" },
      h("a", { href: `#/?${new URLSearchParams({ q: `tag:"${tag}"` })}` }, tag),
      editable && own.has(tag) ? h("button", {
        type: "button", class: "quiet", "aria-label": `Remove the tag ${tag}`,
        onclick: () => save(doc.user_tags.filter((each) => each !== tag)),
      }, "×") : "")));
    list.hidden = doc.tags.length === 0;
    node.hidden = list.hidden && form.hidden;
  }

  draw();
  return node;
}
