// The user's own account: password, second factor, and where they are signed in.
import { all, request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { errorLine, field, h, runGuarded } from "./dom.js";
import { clientName, date } from "./format.js";
import { secondFactor } from "./second-factor.js";

export function accountView({ user }, _ids, _query, signal) {
  const node = h("div", { class: "stack" },
    h("header", { class: "stack tight" }, h("h1", {}, "Your account"),
      h("p", { class: "hint" }, [user.username, user.email, user.is_admin ? "administrator" : null].filter(Boolean).join(" · "))),
    newPassword(user, signal), secondFactor(signal), sessions(signal),
    h("p", {}, h("a", { href: "#/api-keys" }, "API keys"), h("span", { class: "hint" }, " for programs that act in your name.")));
  return { node, title: "Your account" };
}

function passwordField(label, autocomplete, hint) {
  const input = h("input", { type: "password", autocomplete, required: true });
  return { input, node: field(label, input, hint) };
}

function newPassword(user, signal) {
  const current = passwordField("Current password", "current-password");
  const fresh = passwordField("New password", "new-password");
  const keep = h("input", { type: "checkbox" });
  const errors = errorLine();
  const done = h("p", { class: "hint", role: "status" });
  const submit = h("button", { class: "primary" }, "Change password");
  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      done.textContent = "";
      runGuarded(submit, errors, async () => {
        const body = { current_password: current.input.value, new_password: fresh.input.value, keep_api_keys: keep.checked };
        await request("POST", url(["auth", "password"]), { body, signal, announce401: false });
        form.reset();
        done.textContent = "The password is changed, and all other sessions have ended.";
      });
    },
  },
  // Password managers look for the name beside the new password.
  h("input", { type: "text", autocomplete: "username", value: user.username, hidden: true }),
  h("div", { class: "fields" }, current.node, fresh.node),
  h("label", { class: "check" }, keep, h("span", {}, "Keep my API keys")),
  h("p", { class: "hint" }, "Ends your sessions everywhere else. Without the tick, API keys end, too: choose that if somebody may have your password."),
  errors.node, done, h("div", { class: "row" }, submit));
  return h("section", { class: "card stack", "aria-labelledby": "password-heading" },
    h("h2", { id: "password-heading" }, "Password"), form);
}

function sessions(signal) {
  const list = h("ul", { class: "plain" });
  const errors = errorLine();
  const everywhere = h("button", { type: "button", class: "danger quiet", onclick: signOutEverywhere }, "Sign out everywhere else…");

  async function refresh() {
    try {
      const found = await all(["auth", "sessions"]);
      if (signal.aborted) return;
      list.replaceChildren(...found.map(row));
      everywhere.hidden = found.length < 2;
      errors.clear();
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  function row(session) {
    const client = clientName(session.client || "An unknown program");
    const end = h("button", {
      type: "button", class: "danger quiet", "aria-label": `Sign out ${client}`,
      onclick: () => runGuarded(end, errors, async () => {
        await request("DELETE", url(["auth", "sessions", session.id]));
        await refresh();
      }),
    }, "Sign out");
    const facts = [session.address, `since ${date(session.created_at)}`, session.last_used_at ? `last used ${date(session.last_used_at)}` : null];
    return h("li", { class: "row" },
      h("div", { class: "stack tight" },
        h("p", { class: "named" }, h("span", { title: session.client }, client),
          session.current ? h("span", { class: "tag status", "data-status": "ready" }, "this one") : null),
        h("p", { class: "hint" }, facts.filter(Boolean).join(" · "))),
      session.current ? null : end);
  }

  function signOutEverywhere() {
    const keys = h("input", { type: "checkbox" });
    openDialog({
      title: "Sign out everywhere else?",
      content: h("div", { class: "stack" },
        h("p", {}, "All your other sessions end, and what they have open is closed."),
        h("label", { class: "check" }, keys, h("span", {}, "Revoke my API keys, too"))),
      submit: {
        text: "Sign out",
        danger: true,
        action: async () => {
          await request("DELETE", url(["auth", "sessions"], { keep_current: true, api_keys: keys.checked }));
          await refresh();
        },
      },
      signal,
    });
  }

  refresh();
  return h("section", { class: "card stack", "aria-labelledby": "sessions-heading" },
    h("h2", { id: "sessions-heading" }, "Where you are signed in"), list, errors.node, h("div", {}, everywhere));
}
