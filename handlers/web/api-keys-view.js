// The user's API keys: the list, a form for a new key, and the new key's text, which is shown only once.
import { request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { errorLine, field, runGuarded, h } from "./dom.js";
import { date } from "./format.js";
import { loadedList } from "./loaded-list.js";

const SCOPES = [
  ["read", "read: search, view, follow operations"],
  ["write", "write: also change collections"],
  ["admin", "admin: also administer the server"],
];
const LIVES = [["90", "in 90 days"], ["30", "in 30 days"], ["365", "in a year"], ["", "never"]];

export function apiKeysView(app, _ids, _query, signal) {
  const { nodes, refresh } = loadedList(["api-keys"], row, "No keys yet.", signal);
  const fresh = h("div", { role: "status" });
  let freshId = "";

  function row(key) {
    const ended = key.expires_at && new Date(key.expires_at) <= new Date();
    const limited = key.collections?.map((id) => app.collectionStore.get(id)?.name ?? "a collection that is gone");
    const facts = [
      limited ? `only ${limited.join(", ")}` : "",
      `created ${date(key.created_at)}`,
      key.last_used_at ? `last used ${date(key.last_used_at)}` : "never used",
      key.expires_at ? `${ended ? "expired" : "expires"} ${date(key.expires_at)}` : "never expires",
    ];
    const open = h("button", {
      type: "button", class: "danger quiet", "aria-label": `Revoke ${key.name}…`, onclick: () => revoke(key),
    }, "Revoke…");
    return h("li", { class: "row" },
      h("div", { class: "stack tight" },
        h("p", { class: "named" }, h("span", {}, key.name),
          h("span", { class: "tag status", "data-status": ended ? "failed" : null }, ended ? "expired" : key.scopes.at(-1))),
        h("p", { class: "hint" }, facts.filter(Boolean).join(" · ")), h("p", { class: "hint" }, h("code", {}, `${key.start}…`))),
      open);
  }

  function revoke({ id, name }) {
    openDialog({
      title: `Revoke “${name}”?`,
      content: h("p", {}, "Programs that use it are refused from now on, and their open connections are closed."),
      submit: {
        text: "Revoke key",
        danger: true,
        action: async () => {
          await request("DELETE", url(["api-keys", id]));
          if (id === freshId) fresh.replaceChildren();
          await refresh();
        },
      },
      cancel: "Keep it",
      signal,
    });
  }

  const node = h("div", { class: "stack" },
    h("header", { class: "stack tight" }, h("h1", {}, "API keys"),
      h("p", { class: "hint" }, "For programs that use the REST API and the WebSockets in your name, without your password.")),
    fresh,
    h("section", { class: "card stack", "aria-label": "Your keys" }, nodes),
    newKey(app, signal, (made) => {
      freshId = made.id;
      fresh.replaceChildren(shownOnce(made));
      fresh.querySelector("input").select();
      return refresh();
    }));
  refresh();
  return { node, title: "API keys" };
}

function newKey({ user, collectionStore }, signal, onMade) {
  const choice = (name, options) => h("select", { name }, options.map(([value, text]) => h("option", { value }, text)));
  const name = h("input", { name: "name", required: true, maxlength: 200, autocomplete: "off", placeholder: "Nightly report" });
  const scope = choice("scope", SCOPES.filter(([value]) => value !== "admin" || user.is_admin));
  const life = choice("life", LIVES);
  const where = choice("collection", [["", "all your collections"], ...collectionStore.collections.map(({ id, name }) => [id, name])]);
  const errors = errorLine();
  const submit = h("button", { class: "primary" }, "Create key");
  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      runGuarded(submit, errors, async () => {
        const body = { name: name.value, scopes: [scope.value], expires_in_days: life.value ? Number(life.value) : null };
        if (where.value) body.collections = [where.value];
        const made = await request("POST", url(["api-keys"]), { body, signal });
        form.reset();
        await onMade(made);
      });
    },
  }, field("Name", name, "What will use it."),
  h("div", { class: "fields" }, field("It may", scope), field("In", where), field("It expires", life)),
  errors.node, h("div", { class: "row" }, submit));
  return h("section", { class: "card stack", "aria-labelledby": "new-key-heading" },
    h("h2", { id: "new-key-heading" }, "New key"), form);
}

function shownOnce({ name, key }) {
  const text = h("input", { class: "key", readonly: true, value: key, spellcheck: "false", onfocus: () => text.select() });
  const copy = h("button", { type: "button", class: "primary" }, "Copy");
  const note = h("p", { class: "hint", role: "status" }, "The server keeps no copy: once you leave, it cannot be shown again.");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(key);
      copy.textContent = "Copied";
    } catch { // without HTTPS the browser does not offer the clipboard
      text.focus();
      note.textContent = "The browser does not let the page copy. The key is selected: copy it with Ctrl+C.";
    }
  });
  return h("section", { class: "card stack fresh" }, h("div", { class: "bar" }, field(`The key “${name}”`, text), copy), note);
}
