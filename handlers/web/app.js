// The page's wiring: session, routes (in the address after #) and the parts that outlive a view.
import { Activity } from "./activity.js";
import { apiKeysView } from "./api-keys-view.js";
import { events, request, url } from "./api.js";
import { collectionView } from "./collection-view.js";
import { documentView } from "./document-view.js";
import { errorLine, h } from "./dom.js";
import { homeView } from "./home-view.js";
import { Library } from "./library.js";
import { signInView } from "./sign-in-view.js";

const [main, account, banner, activitySection, announcements] =
  ["main", "account", "banner", "activity", "announcements"].map((id) => document.getElementById(id));

const library = new Library();
const activity = new Activity(activitySection, library, (text) => { announcements.textContent = text; });
let user = null;
const app = { library, activity, get user() { return user; } };
let leaveView = new AbortController();

const ROUTES = [
  [/^\/collections\/([^/]+)\/documents\/([^/]+)$/, documentView],
  [/^\/collections\/([^/]+)$/, collectionView],
  [/^\/api-keys$/, apiKeysView],
  [/^\/$/, homeView],
];

/** Show what the address names; `view(app, ids, query, signal)` gives {node, title}, `signal` ends with it. */
function show() {
  if (!user) return;
  leaveView.abort();
  leaveView = new AbortController();
  const [path, query] = (location.hash.slice(1) || "/").split("?");
  for (const [pattern, view] of ROUTES) {
    const match = pattern.exec(path);
    if (!match) continue;
    const ids = match.slice(1).map(decodeURIComponent);
    const { node, title } = view(app, ids, new URLSearchParams(query), leaveView.signal);
    document.title = title ? `${title} · Semantik` : "Semantik";
    main.replaceChildren(node);
    return;
  }
  location.hash = "#/";
}

function drawAccount() {
  const signOut = h("button", { type: "button", class: "quiet" }, "Sign out");
  signOut.addEventListener("click", async () => {
    signOut.disabled = true;
    try {
      await request("POST", url(["auth", "logout"]), { repeatable: true, announce401: false });
    } catch (error) {
      if (error.status !== 401) { // 401: the session had ended by itself
        signOut.disabled = false;
        showBanner(error.message);
        return;
      }
    }
    leave("You have signed out.");
  });
  const keys = h("a", { class: "quiet", href: "#/api-keys" }, "API keys");
  account.replaceChildren(...(user ? [h("span", { class: "who" }, user.username), keys, signOut] : []));
}

function showBanner(text) {
  banner.textContent = text ?? "";
  banner.hidden = !text;
}

async function enter(signedIn) {
  user = signedIn;
  showBanner(null);
  drawAccount();
  main.replaceChildren(h("p", { class: "hint" }, "Reading your collections…"));
  try {
    await library.refresh();
    if (!user) return; // signed out meanwhile
    activity.start();
    show();
  } catch (error) {
    if (error.status !== 401) failToStart(error);
  }
}

/** Back to the door; the address stays, so that signing in again leads to where one was. */
async function leave(notice) {
  user = null;
  leaveView.abort();
  activity.clear();
  library.clear();
  drawAccount();
  document.title = "Semantik";
  try {
    showDoor(await request("GET", url(["auth", "setup"])), notice);
  } catch (error) {
    failToStart(error);
  }
}

function showDoor(setup, notice) {
  main.replaceChildren(signInView({ setup, notice, onSignedIn: enter }));
  main.querySelector("input").focus();
}

function failToStart(error) {
  const errors = errorLine();
  errors.show(error);
  const again = h("button", { type: "button", class: "primary", onclick: start }, "Try again");
  main.replaceChildren(h("div", { class: "card door" }, errors.node, again));
}

async function start() {
  try {
    const setup = await request("GET", url(["auth", "setup"]));
    if (setup.needs_first_user) showDoor(setup, "");
    else await enter(await request("GET", url(["auth", "me"]), { announce401: false }));
  } catch (error) {
    if (error.status === 401) await leave("");
    else failToStart(error);
  }
}

events.addEventListener("unauthorized", () => { if (user) leave("Your session has ended. Sign in again."); });
events.addEventListener("waiting", (event) => showBanner(event.detail));
library.addEventListener("trouble", (event) => { if (event.detail.status !== 401) showBanner(event.detail.message); });
library.addEventListener("change", () => { if (!banner.hidden) showBanner(null); });
window.addEventListener("hashchange", () => {
  window.scrollTo(0, 0);
  main.focus({ preventScroll: true });
  show();
});
document.addEventListener("visibilitychange", () => {
  if (user && document.visibilityState === "visible") library.refreshQuietly();
});
start();
