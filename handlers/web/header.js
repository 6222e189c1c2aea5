// The header: the navigation, the indicator of operations and the account menu. It is drawn once for each sign-in.
import { h } from "./dom.js";
import { icon } from "./icons.js";

const PAGES = [
  ["#/", "search", "Search", /^\/(\?|$)/],
  ["#/collections", "collections", "Collections", /^\/collections/],
  ["#/operations", "operations", "Operations", /^\/operations/],
];

export class Header {
  /** `activity` is the Activity whose button and panel stand here; `onSignOut(button)` is called by the menu. */
  constructor(navigation, tools, activity, onSignOut) {
    this.navigation = navigation;
    this.tools = tools;
    this.activity = activity;
    this.onSignOut = onSignOut;
    this.links = PAGES.map(([href, picture, text, pattern]) => ({ pattern, node: h("a", { href }, icon(picture), text) }));
    navigation.append(...this.links.map(({ node }) => node));
    tools.addEventListener("toggle", ({ target, newState }) => {
      const button = tools.querySelector(`[popovertarget="${target.id}"]`);
      button?.setAttribute("aria-expanded", String(newState === "open"));
    }, true);
    // What was opened is closed by what was chosen in it.
    tools.addEventListener("click", ({ target }) => { if (target.closest("a")) target.closest("[popover]")?.hidePopover(); });
  }

  /** Show what this user may open; null: nobody is signed in. */
  draw(user) {
    this.navigation.hidden = !user;
    this.tools.replaceChildren(...(user ? [this.activity.button, this.activity.panel, ...this.#account(user)] : []));
  }

  /** Mark the page of the address. */
  mark(path) {
    for (const { node, pattern } of this.links) {
      if (pattern.test(path)) node.setAttribute("aria-current", "page");
      else node.removeAttribute("aria-current");
    }
  }

  #account(user) {
    const link = (path, text) => h("li", {}, h("a", { href: `#/${path}` }, text));
    const signOut = h("button", { type: "button", onclick: () => this.onSignOut(signOut) }, "Sign out");
    const menu = h("div", { class: "sheet menu", id: "account-menu", popover: true },
      h("p", { class: "hint" }, user.is_admin ? `${user.username}, administrator` : user.username),
      h("ul", { "aria-label": "Account" }, link("account", "Account"), link("alerts", "Alerts"), link("api-keys", "API keys"),
        user.is_admin ? [link("people", "Users and groups"), link("audit", "Audit trail"), link("system", "System")] : []),
      signOut);
    const open = h("button", { type: "button", class: "account", popovertarget: "account-menu", "aria-label": `Account: ${user.username}` },
      icon("person"), h("span", { class: "who" }, user.username));
    return [open, menu];
  }
}
