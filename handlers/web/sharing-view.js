// Who may use a collection: shares with users and groups, public reading, another owner.
import { request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { errorLine, field, h, refusal, runGuarded } from "./dom.js";

const LEVELS = [
  ["read", "read: search and view"],
  ["write", "write: also add and update folders"],
  ["manage", "manage: also reindex and share"],
];

export function sharingView({ collectionStore }, [id], _query, signal) {
  if (!["manage", "own"].includes(collectionStore.get(id)?.access)) {
    return refusal("Sharing", "Only who owns or manages a collection can share it. There is no such collection, or it is not yours to share.");
  }
  const name = collectionStore.get(id)?.name ?? "this collection";
  const list = h("ul", { class: "plain" });
  const alone = h("p", { class: "empty", hidden: true }, "It is shared with nobody.");
  const owner = h("p", {});
  const errors = errorLine();
  const readable = h("input", { type: "checkbox", onchange: makePublic });
  const giving = h("div", { hidden: collectionStore.get(id)?.access !== "own" },
    h("button", { type: "button", class: "danger quiet", onclick: giveAway }, "Give it to another owner…"));

  function draw(sharing) {
    owner.textContent = `Its owner is ${sharing.owner.username}.`;
    readable.checked = sharing.public;
    alone.hidden = sharing.shares.length > 0;
    list.replaceChildren(...sharing.shares.map(row));
    errors.clear();
  }

  async function refresh() {
    try {
      draw(await request("GET", url(["collections", id, "shares"]), { signal }));
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  async function change(action) {
    errors.clear();
    try {
      await action();
      await collectionStore.refreshQuietly();
      await refresh();
    } catch (error) {
      await refresh();
      errors.show(error);
    }
  }

  const put = (kind, who, level) => request("PUT", url(["collections", id, "shares"]), { body: { [kind]: who, level } });

  function row(share) {
    const level = levels(share.level);
    level.setAttribute("aria-label", `What ${share.name} may do`);
    level.addEventListener("change", () => change(() => put(share.kind, share.name, level.value)));
    return h("li", { class: "row" },
      h("p", { class: "named" }, h("span", {}, share.name), h("span", { class: "tag" }, share.kind)),
      h("div", { class: "actions" }, level,
        h("button", {
          type: "button", class: "danger quiet", "aria-label": `End the share with ${share.name}`,
          onclick: () => change(() => request("DELETE", url(["collections", id, "shares", share.kind, share.id]))),
        }, "End")));
  }

  function makePublic() {
    change(() => request("PATCH", url(["collections", id]), { body: { public: readable.checked } }));
  }

  function giveAway() {
    const user = h("input", { required: true, autocomplete: "off", autocapitalize: "none" });
    openDialog({
      title: `Give “${name}” to another owner?`,
      content: h("div", { class: "stack" },
        h("p", {}, "You keep only what is shared with you, and cannot take it back."), field("User name", user)),
      submit: {
        text: "Give it away",
        danger: true,
        action: async () => {
          await request("POST", url(["collections", id, "owner"]), { body: { user: user.value.trim() } });
          await collectionStore.refresh();
          location.hash = collectionStore.get(id) ? `#/collections/${encodeURIComponent(id)}` : "#/";
        },
      },
      cancel: "Keep it",
      signal,
    });
  }

  const node = h("div", { class: "stack" },
    h("p", { class: "back" }, h("a", { href: `#/collections/${encodeURIComponent(id)}` }, `← ${name}`)),
    h("header", { class: "stack tight" }, h("h1", {}, `Sharing “${name}”`), owner),
    h("section", { class: "card stack", "aria-label": "Shares" }, list, alone, errors.node,
      h("label", { class: "check" }, readable, h("span", {}, "Every signed-in user may read it"))),
    newShare(put, change), giving);
  refresh();
  return { node, title: `Sharing ${name}` };
}

function levels(chosen) {
  return h("select", {}, LEVELS.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
}

function newShare(put, change) {
  const kind = h("select", {}, h("option", { value: "user" }, "user"), h("option", { value: "group" }, "group"));
  const who = h("input", { required: true, autocomplete: "off", autocapitalize: "none" });
  const level = levels("read");
  const errors = errorLine();
  const submit = h("button", { class: "primary" }, "Share");
  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      runGuarded(submit, errors, async () => {
        await put(kind.value, who.value.trim(), level.value);
        who.value = "";
        await change(async () => {});
      });
    },
  }, h("div", { class: "fields" }, field("With a", kind), field("Name", who), field("Who may", level)),
  errors.node, h("div", { class: "row" }, submit));
  return h("section", { class: "card stack", "aria-labelledby": "share-heading" }, h("h2", { id: "share-heading" }, "Share"), form);
}
