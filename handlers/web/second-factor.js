// The second factor of the user's sign-in: set up with an authenticator program, recovery codes, switched off.
import { request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { errorLine, field, h, runGuarded } from "./dom.js";

const PATH = url(["auth", "second-factor"]);

/** The section of the account's page. */
export function secondFactor(signal) {
  const body = h("div", { class: "stack" });
  const errors = errorLine();

  async function refresh() {
    try {
      const state = await request("GET", PATH, { signal });
      body.replaceChildren(state.enabled ? enabled(state) : disabled());
      errors.clear();
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  function disabled() {
    return h("div", { class: "stack" },
      h("p", { class: "hint" }, "With it a sign-in takes a code of your authenticator program beside the password."),
      h("div", {}, h("button", { type: "button", onclick: begin }, "Set up…")));
  }

  function enabled({ recovery_codes_left: left }) {
    return h("div", { class: "stack" },
      h("p", {}, h("span", { class: "tag status", "data-status": "ready" }, "on"),
        h("span", { class: "hint" }, ` ${left} recovery codes left.`)),
      h("div", {}, h("button", { type: "button", class: "danger quiet", onclick: switchOff }, "Switch off…")));
  }

  function begin() {
    const password = passwordField();
    openDialog({
      title: "Set up a second factor",
      content: field("Your password", password),
      submit: {
        text: "Go on",
        action: async () => {
          const made = await request("POST", PATH, { body: { password: password.value }, signal, announce401: false });
          body.replaceChildren(confirming(made));
          body.querySelector("input.code").focus();
        },
      },
      signal,
    });
  }

  function confirming({ secret, otpauth_uri: address, qr_svg: picture }) {
    const code = h("input", { class: "code", inputmode: "numeric", autocomplete: "one-time-code", required: true, maxlength: 10 });
    const failure = errorLine();
    const submit = h("button", { class: "primary" }, "Switch on");
    return h("form", {
      class: "stack",
      onsubmit: (event) => {
        event.preventDefault();
        runGuarded(submit, failure, async () => {
          const answer = await request("POST", url(["auth", "second-factor", "confirm"]), { body: { code: code.value.trim() }, signal, announce401: false });
          body.replaceChildren(shownOnce(answer.recovery_codes));
        });
      },
    },
    h("p", {}, "Scan this code with your authenticator program, ", h("a", { href: address }, "open it there"), ", or enter the secret:"),
    qrCode(picture),
    h("p", {}, h("code", { class: "key secret" }, secret.match(/.{1,4}/g).join(" "))),
    field("Code", code, "The six digits that the program shows now."), failure.node,
    h("div", { class: "row" }, submit, h("button", { type: "button", onclick: refresh }, "Cancel")));
  }

  function shownOnce(codes) {
    return h("section", { class: "stack fresh card", role: "status" },
      h("p", {}, "The second factor is on. Each of these codes replaces it once, should you lose the program: keep them where you find them without it. They are shown only now."),
      h("ul", { class: "codes" }, codes.map((each) => h("li", {}, h("code", {}, each)))),
      h("div", {}, h("button", { type: "button", class: "primary", onclick: refresh }, "I have kept them")));
  }

  function switchOff() {
    const password = passwordField();
    openDialog({
      title: "Switch off the second factor?",
      content: h("div", { class: "stack" }, h("p", {}, "A sign-in takes your password alone then."), field("Your password", password)),
      submit: {
        text: "Switch off",
        danger: true,
        action: async () => {
          await request("DELETE", PATH, { body: { password: password.value }, signal, announce401: false });
          await refresh();
        },
      },
      cancel: "Keep it",
      signal,
    });
  }

  refresh();
  return h("section", { class: "card stack", "aria-labelledby": "second-factor-heading" },
    h("h2", { id: "second-factor-heading" }, "Second factor"), body, errors.node);
}

function passwordField() {
  return h("input", { type: "password", autocomplete: "current-password", required: true });
}

/** The server's SVG as a picture with a name. */
function qrCode(source) {
  const node = document.importNode(new DOMParser().parseFromString(source, "text/html").querySelector("svg"), true);
  node.setAttribute("class", "qr");
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", "Secret as a picture to scan");
  return node;
}
