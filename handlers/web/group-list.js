// Groups for administrators: made, deleted, members added and removed, the folders that members may index.
import { request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { errorLine, field, h, runGuarded } from "./dom.js";

/** The section, and `refresh()` for when users have changed. */
export function groupList(signal) {
  const list = h("ul", { class: "plain" });
  const empty = h("p", { class: "empty", hidden: true }, "No groups yet.");
  const errors = errorLine();

  async function refresh() {
    try {
      const { items } = await request("GET", url(["groups"]), { signal });
      list.replaceChildren(...items.map(row));
      empty.hidden = items.length > 0;
      errors.clear();
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  async function change(method, parts) {
    try {
      await request(method, url(parts));
      await refresh();
    } catch (error) {
      errors.show(error);
    }
  }

  function row(group) {
    const members = group.members.map((member) => h("li", { class: "chip" }, member.username,
      h("button", {
        type: "button", class: "quiet", "aria-label": `Remove ${member.username} from ${group.name}`,
        onclick: () => change("DELETE", ["groups", group.id, "members", member.id]),
      }, "×")));
    return h("li", { class: "stack tight" },
      h("div", { class: "row" }, h("p", { class: "named" }, h("span", {}, group.name)),
        h("div", { class: "actions" },
          h("button", { type: "button", class: "quiet", "aria-label": `Change ${group.name}`, onclick: () => edit(group) }, "Change…"),
          h("button", { type: "button", class: "danger quiet", "aria-label": `Delete ${group.name}`, onclick: () => remove(group) }, "Delete…"))),
      group.roots.length ? h("p", { class: "hint" }, `may index ${group.roots.join(", ")}`) : null,
      h("ul", { class: "chips" }, members), addMember(group));
  }

  function addMember(group) {
    const name = h("input", { required: true, autocomplete: "off", autocapitalize: "none", placeholder: "user name", "aria-label": `Add to ${group.name}` });
    const submit = h("button", {}, "Add");
    return h("form", {
      class: "bar",
      onsubmit: (event) => {
        event.preventDefault();
        runGuarded(submit, errors, async () => {
          const user = await userNamed(name.value.trim());
          await request("PUT", url(["groups", group.id, "members", user.id]), { signal });
          await refresh();
        });
      },
    }, name, submit);
  }

  function edit(group) {
    const name = h("input", { required: true, value: group.name, autocomplete: "off" });
    const roots = h("input", { value: group.roots.join(", "), autocomplete: "off", placeholder: "/srv/documents" });
    openDialog({
      title: `The group ${group.name}`,
      content: h("div", { class: "stack" }, field("Name", name), field("Folders", roots, "That its members may index, with commas between them.")),
      submit: {
        text: "Save",
        action: async () => {
          await request("PATCH", url(["groups", group.id]), { body: { name: name.value, roots: folders(roots.value) } });
          await refresh();
        },
      },
      signal,
    });
  }

  function remove(group) {
    openDialog({
      title: `Delete ${group.name}?`,
      content: h("p", {}, "What is shared with the group is no longer shared with its members."),
      submit: { text: "Delete group", danger: true, action: () => change("DELETE", ["groups", group.id]) },
      cancel: "Keep it",
      signal,
    });
  }

  const node = h("section", { class: "card stack", "aria-labelledby": "groups-heading" },
    h("h2", { id: "groups-heading" }, "Groups"), list, empty, errors.node, newGroup(refresh, signal));
  return { node, refresh };
}

const folders = (text) => text.split(",").map((each) => each.trim()).filter(Boolean);

async function userNamed(name) {
  let cursor = null;
  do {
    const page = await request("GET", url(["users"], { cursor }));
    const found = page.items.find((user) => user.username.toLowerCase() === name.toLowerCase());
    if (found) return found;
    cursor = page.next_cursor;
  } while (cursor);
  throw new Error(`There is no user ${name}.`);
}

function newGroup(refresh, signal) {
  const name = h("input", { required: true, autocomplete: "off", placeholder: "Accounting", "aria-label": "New group" });
  const errors = errorLine();
  const submit = h("button", {}, "Add group");
  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      runGuarded(submit, errors, async () => {
        await request("POST", url(["groups"]), { body: { name: name.value }, signal });
        form.reset();
        await refresh();
      });
    },
  }, h("div", { class: "bar" }, name, submit), errors.node);
  return form;
}
