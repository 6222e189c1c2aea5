// For administrators: users, groups with their members, and who owns which collection.
import { all, request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { errorLine, field, h, refusal, runGuarded } from "./dom.js";
import { date, plural } from "./format.js";
import { groupList } from "./group-list.js";

export function peopleView({ user }, _ids, _query, signal) {
  if (!user.is_admin) return refusal("Users and groups", "This page is for administrators.");
  const groups = groupList(signal);
  const node = h("div", { class: "stack" },
    h("header", { class: "row" }, h("h1", {}, "Users and groups"), h("a", { href: "#/audit" }, "Audit trail")),
    userList(user, groups.refresh, signal), newUser(signal), groups.node, owners(signal));
  return { node, title: "Users and groups" };
}

const CHANGED = "users-changed"; // of the document: the list is drawn anew

function userList(me, onChange, signal) {
  const list = h("ul", { class: "plain" });
  const errors = errorLine();

  async function refresh() {
    try {
      const users = await all(["users"]);
      if (!signal.aborted) list.replaceChildren(...users.map(row));
      errors.clear();
      onChange();
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  async function change(id, body) {
    try {
      await request("PATCH", url(["users", id]), { body });
      await refresh();
    } catch (error) {
      errors.show(error);
    }
  }

  function row(user) {
    const action = (text, onclick, danger = false) =>
      h("button", { type: "button", class: danger ? "danger quiet" : "quiet", "aria-label": `${text} ${user.username}`, onclick }, text);
    const tags = [user.is_admin ? "administrator" : null, user.disabled ? "disabled" : null, user.second_factor ? "second factor" : null];
    return h("li", { class: "row" },
      h("div", { class: "stack tight" },
        h("p", { class: "named" }, h("span", {}, user.username),
          tags.filter(Boolean).map((tag) => h("span", { class: "tag status", "data-status": tag === "disabled" ? "failed" : null }, tag))),
        h("p", { class: "hint" }, [user.email, `since ${date(user.created_at)}`].filter(Boolean).join(" · "))),
      user.id === me.id ? h("span", { class: "hint" }, "you") : h("div", { class: "actions" },
        action(user.is_admin ? "Demote" : "Promote", () => change(user.id, { is_admin: !user.is_admin })),
        action(user.disabled ? "Enable" : "Disable", () => change(user.id, { disabled: !user.disabled })),
        action("Password…", () => setPassword(user)),
        action("Delete…", () => remove(user), true)));
  }

  function setPassword(user) {
    const password = h("input", { type: "password", autocomplete: "new-password", required: true });
    const reset = h("input", { type: "checkbox" });
    openDialog({
      title: `A new password for ${user.username}`,
      content: h("div", { class: "stack" }, h("p", {}, "All sessions of the user end."), field("New password", password),
        user.second_factor ? h("label", { class: "check" }, reset, h("span", {}, "Switch off the second factor")) : null),
      submit: {
        text: "Set password",
        action: async () => {
          const body = { password: password.value, ...(reset.checked ? { reset_second_factor: true } : {}) };
          await request("PATCH", url(["users", user.id]), { body });
          await refresh();
        },
      },
      signal,
    });
  }

  function remove(user) {
    const heir = h("input", { autocomplete: "off", autocapitalize: "none" });
    openDialog({
      title: `Delete ${user.username}?`,
      content: h("div", { class: "stack" },
        h("p", {}, "The account, its sessions and its API keys are deleted."),
        field("Who gets the user's collections", heir, "A user name; may be empty where the user has none.")),
      submit: {
        text: "Delete user",
        danger: true,
        action: async () => {
          await request("DELETE", url(["users", user.id], { transfer_to: heir.value.trim() }));
          await refresh();
        },
      },
      cancel: "Keep the user",
      signal,
    });
  }

  document.addEventListener(CHANGED, refresh, { signal });
  refresh();
  return h("section", { class: "card stack", "aria-labelledby": "users-heading" }, h("h2", { id: "users-heading" }, "Users"), list, errors.node);
}

function newUser(signal) {
  const username = h("input", { required: true, autocomplete: "off", autocapitalize: "none" });
  const email = h("input", { type: "email", autocomplete: "off" });
  const password = h("input", { type: "password", autocomplete: "new-password", required: true });
  const admin = h("input", { type: "checkbox" });
  const errors = errorLine();
  const submit = h("button", { class: "primary" }, "Add user");
  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      runGuarded(submit, errors, async () => {
        const body = { username: username.value, password: password.value, is_admin: admin.checked };
        if (email.value) body.email = email.value;
        await request("POST", url(["users"]), { body, signal });
        form.reset();
        document.dispatchEvent(new Event(CHANGED));
      });
    },
  }, h("div", { class: "fields" }, field("User name", username), field("E-mail", email, "Optional."), field("First password", password)),
  h("label", { class: "check" }, admin, h("span", {}, "Administrator")), errors.node, h("div", { class: "row" }, submit));
  return h("details", { class: "card panel" }, h("summary", {}, "New user"), form);
}

function owners(signal) {
  const list = h("ul", { class: "plain" });
  const errors = errorLine();
  const panel = h("details", { class: "card panel", ontoggle: () => panel.open && refresh() },
    h("summary", {}, "All collections and their owners"),
    h("p", { class: "hint" }, "You read what is shared with you. Giving a collection away, or sharing it, is recorded in the audit trail."),
    list, errors.node);

  async function refresh() {
    try {
      const found = await all(["admin", "collections"]);
      if (signal.aborted) return;
      list.replaceChildren(...found.map(row));
      errors.clear();
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  function row(collection) {
    const facts = [plural(collection.document_count, "document"), plural(collection.share_count, "share"), collection.public ? "public" : null];
    return h("li", { class: "row" },
      h("div", { class: "stack tight" },
        h("p", { class: "named" }, h("span", {}, collection.name), h("span", { class: "tag" }, collection.owner.username)),
        h("p", { class: "hint" }, facts.filter(Boolean).join(" · "))),
      h("a", { href: `#/collections/${encodeURIComponent(collection.id)}/sharing` }, "Sharing"));
  }

  return panel;
}
