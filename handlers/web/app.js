// The page's composition: session, routes (in the URL after #) and the parts that outlive a view.
import { accountView } from "./account-view.js";
import { Activity } from "./activity.js";
import { apiKeysView } from "./api-keys-view.js";
import { events, request, url } from "./api.js";
import { auditView } from "./audit-view.js";
import { collectionView } from "./collection-view.js";
import { documentView } from "./document-view.js";
import { errorLine, h } from "./dom.js";
import { homeView } from "./home-view.js";
import { CollectionStore } from "./collection-store.js";
import { peopleView } from "./people-view.js";
import { sharingView } from "./sharing-view.js";
import { signInView } from "./sign-in-view.js";

const [main, account, banner, activitySection, announcements] =
  ["main", "account", "banner", "activity", "announcements"].map((id) => document.getElementById(id));

const collectionStore = new CollectionStore();
const activity = new Activity(activitySection, collectionStore, (text) => { announcements.textContent = text; });
let user = null;
const app = { collectionStore, activity, get user() { return user; } };
let viewController = new AbortController();

const ROUTES = [
  [/^\/collections\/([^/]+)\/documents\/([^/]+)$/, documentView],
  [/^\/collections\/([^/]+)\/sharing$/, sharingView],
  [/^\/collections\/([^/]+)$/, collectionView],
  [/^\/account$/, accountView],
  [/^\/people$/, peopleView],
  [/^\/api-keys$/, apiKeysView],
  [/^\/audit$/, auditView],
  [/^\/$/, homeView],
];

/** Show the view of the URL; `view(app, ids, query, signal)` returns {node, title}, `signal` is aborted when it is left. */
function show() {
  if (!user) return;
  viewController.abort();
  viewController = new AbortController();
  const [path, query] = (location.hash.slice(1) || "/").split("?");
  for (const [pattern, view] of ROUTES) {
    const match = pattern.exec(path);
    if (!match) continue;
    const ids = match.slice(1).map(decodeURIComponent);
    const { node, title } = view(app, ids, new URLSearchParams(query), viewController.signal);
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
      if (error.status !== 401) { // 401: the session had already expired
        signOut.disabled = false;
        showBanner(error.message);
        return;
      }
    }
    closeSession("You have signed out.");
  });
  const link = (path, text, kind = "") => h("a", { class: `quiet ${kind}`, href: `#/${path}` }, text);
  account.replaceChildren(...(user ? [
    link("account", user.username, "who"), user.is_admin ? link("people", "Users") : "", link("api-keys", "API keys"), signOut,
  ] : []));
}

function showBanner(text) {
  banner.textContent = text ?? "";
  banner.hidden = !text;
}

async function openSession(signedInUser) {
  user = signedInUser;
  showBanner(null);
  drawAccount();
  main.replaceChildren(h("p", { class: "hint" }, "Loading your collections…"));
  try {
    await collectionStore.refresh();
    if (!user) return; // signed out meanwhile
    activity.start();
    show();
  } catch (error) {
    if (error.status !== 401) showStartError(error);
  }
}

/** Show the sign-in form; the URL stays, so that signing in again returns to the same view. */
async function closeSession(notice) {
  user = null;
  viewController.abort();
  activity.clear();
  collectionStore.clear();
  drawAccount();
  document.title = "Semantik";
  try {
    showSignIn(await request("GET", url(["auth", "setup"])), notice);
  } catch (error) {
    showStartError(error);
  }
}

function showSignIn(setup, notice) {
  main.replaceChildren(signInView({ setup, notice, onSignedIn: openSession }));
  main.querySelector("input").focus();
}

function showStartError(error) {
  const errors = errorLine();
  errors.show(error);
  const again = h("button", { type: "button", class: "primary", onclick: start }, "Try again");
  main.replaceChildren(h("div", { class: "card sign-in" }, errors.node, again));
}

async function start() {
  try {
    const setup = await request("GET", url(["auth", "setup"]));
    if (setup.needs_first_user) showSignIn(setup, "");
    else await openSession(await request("GET", url(["auth", "me"]), { announce401: false }));
  } catch (error) {
    if (error.status === 401) await closeSession("");
    else showStartError(error);
  }
}

events.addEventListener("unauthorized", () => { if (user) closeSession("Your session has ended. Sign in again."); });
events.addEventListener("waiting", (event) => showBanner(event.detail));
collectionStore.addEventListener("error", (event) => { if (event.detail.status !== 401) showBanner(event.detail.message); });
collectionStore.addEventListener("change", () => { if (!banner.hidden) showBanner(null); });
window.addEventListener("hashchange", () => {
  window.scrollTo(0, 0);
  main.focus({ preventScroll: true });
  show();
});
document.addEventListener("visibilitychange", () => {
  if (user && document.visibilityState === "visible") collectionStore.refreshQuietly();
});
start();
