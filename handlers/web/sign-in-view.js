// The sign-in form, or the registration of the first user when the server has none yet.
import { request, url } from "./api.js";
import { errorLine, field, runGuarded, h } from "./dom.js";

/** `setup` is GET /auth/setup; `onSignedIn(user)` is called once the session's cookie is set. */
export function signInView({ setup, notice, onSignedIn }) {
  const first = setup.needs_first_user;
  return first ? registration({ setup, onSignedIn }) : signIn({ setup, notice, onSignedIn });
}

function signIn({ setup, notice, onSignedIn }) {
  const username = h("input", { name: "username", autocomplete: "username", required: true, autocapitalize: "none" });
  const password = passwordInput("current-password");
  const create = h("button", {
    type: "button", class: "quiet",
    onclick: () => node.replaceWith(registration({ setup, onSignedIn })),
  }, "Create an account");
  const code = h("input", { name: "code", autocomplete: "one-time-code", inputmode: "numeric", maxlength: 40 });
  const second = field("Code", code, "Of your authenticator program, or a recovery code.");
  second.hidden = true;
  const node = accountForm({
    heading: "Sign in",
    notice,
    fields: [field("Username or e-mail", username), field("Password", password), second],
    button: "Sign in",
    extra: [setup.registration === "open" ? create : null, setup.oidc ? providerLink(setup.oidc) : null],
    async action() {
      try {
        await logIn(username.value, password.value, onSignedIn, code.value.trim());
      } catch (error) {
        if (!error.type?.endsWith("second_factor_required")) throw error;
        const first = second.hidden;
        second.hidden = false;
        code.required = true;
        code.focus();
        if (!first) throw error;
      }
    },
  });
  return node;
}

/** Leads to the provider, and back to the view that the address names now. */
function providerLink(name) {
  const link = h("a", { class: "button" }, `Sign in with ${name}`);
  const aim = () => { link.href = url(["auth", "oidc", "login"], { return_to: location.hash }); };
  link.addEventListener("click", aim);
  aim();
  return link;
}

function registration({ setup, onSignedIn }) {
  const first = setup.needs_first_user;
  const username = h("input", { name: "username", autocomplete: "username", required: true, autocapitalize: "none" });
  const email = h("input", { name: "email", type: "email", autocomplete: "email" });
  const password = passwordInput("new-password");
  const code = h("input", { name: "setup-code", autocomplete: "off", required: true, value: codeOfAddress() });
  const folders = h("textarea", { name: "roots", rows: 2, spellcheck: "false", placeholder: "/srv/documents" });
  return accountForm({
    heading: first ? "Create the first user" : "Create an account",
    notice: first ? "This server is new. Its first user is the administrator." : "",
    fields: [
      field("Username", username),
      field("E-mail", email, "Optional; you can sign in with it too."),
      field("Password", password),
      first ? field("Setup code", code, "The server has printed it, in its terminal or its journal.") : null,
      setup.chooses_roots ? field("Folders", folders,
        "Optional; one absolute path a line. Everybody may index only what is below. Without any, only administrators index.") : null,
    ],
    button: first ? "Create and sign in" : "Create account",
    async action() {
      const account = { username: username.value, password: password.value };
      if (email.value) account.email = email.value;
      if (first) account.setup_code = code.value;
      const roots = folders.value.split("\n").map((line) => line.trim()).filter(Boolean);
      if (setup.chooses_roots && roots.length) account.roots = roots;
      await request("POST", url(["auth", "register"]), { body: account, announce401: false });
      await logIn(username.value, password.value, onSignedIn);
    },
  });
}

/** The setup code, where the page was opened by the address that the server has printed: …/#/setup?code=… */
function codeOfAddress() {
  const [path, query] = location.hash.slice(1).split("?");
  return path === "/setup" ? new URLSearchParams(query).get("code") ?? "" : "";
}

async function logIn(username, password, onSignedIn, code = "") {
  const body = { username, password, ...(code ? { code } : {}) };
  const answer = await request("POST", url(["auth", "login"]), { body, repeatable: true, announce401: false });
  onSignedIn(answer.user);
}

function passwordInput(autocomplete) {
  return h("input", { name: "password", type: "password", autocomplete, required: true });
}

function accountForm({ heading, notice, fields, button, extra, action }) {
  const errors = errorLine();
  const submit = h("button", { class: "primary" }, button);
  return h("form", {
    class: "sign-in card",
    onsubmit: (event) => {
      event.preventDefault();
      runGuarded(submit, errors, action);
    },
  }, h("h1", {}, heading), notice ? h("p", { class: "hint" }, notice) : null,
  fields, errors.node, h("div", { class: "row" }, submit, extra));
}
