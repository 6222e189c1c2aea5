// The page's composition: session, routes (in the URL after #) and the parts that outlive a view.
import { Activity } from "./activity.js";
import { events, request, url } from "./api.js";
import { CollectionStore } from "./collection-store.js";
import { errorLine, h } from "./dom.js";
import { Header } from "./header.js";
import { notifyOfEnds } from "./notifications.js";
import { OperationFeed } from "./operation-feed.js";
import { searchKeys } from "./search-shortcut.js";
import { setTitle, trackProgress } from "./tab.js";

const [main, banner, announcements] = ["main", "banner", "announcements"].map((id) => document.getElementById(id));

const collectionStore = new CollectionStore();
const feed = new OperationFeed(collectionStore);
const activity = new Activity(feed, (text) => { announcements.textContent = text; });
const header = new Header(document.getElementById("navigation"), document.getElementById("tools"), activity, signOut);
let user = null;
let opening = false; // a session is: at its end the view of the address is shown
const app = { collectionStore, activity, feed, setTitle, get user() { return user; } };
let viewController = new AbortController();

// Each view is loaded when it is first shown.
const ROUTES = [
  [/^\/collections\/([^/]+)\/documents\/([^/]+)$/, async () => (await import("./document-view.js")).documentView],
  [/^\/collections\/([^/]+)\/sharing$/, async () => (await import("./sharing-view.js")).sharingView],
  [/^\/collections\/new$/, async () => (await import("./new-collection.js")).newCollectionView],
  [/^\/collections\/([^/]+)$/, async () => (await import("./collection-view.js")).collectionView],
  [/^\/collections$/, async () => (await import("./collections-view.js")).collectionsView],
  [/^\/operations$/, async () => (await import("./operations-view.js")).operationsView],
  [/^\/account$/, async () => (await import("./account-view.js")).accountView],
  [/^\/people$/, async () => (await import("./people-view.js")).peopleView],
  [/^\/alerts$/, async () => (await import("./alerts-view.js")).alertsView],
  [/^\/api-keys$/, async () => (await import("./api-keys-view.js")).apiKeysView],
  [/^\/system$/, async () => (await import("./system-view.js")).systemView],
  [/^\/audit$/, async () => (await import("./audit-view.js")).auditView],
  [/^\/$/, async () => (await import("./home-view.js")).homeView],
];

function route() {
  const [path, query] = (location.hash.slice(1) || "/").split("?");
  for (const [pattern, load] of ROUTES) {
    const match = pattern.exec(path);
    if (match) return { path, query, load, ids: match.slice(1) };
  }
  return null;
}

/** Show the view of the URL; `view(app, ids, query, signal)` returns {node, title}, `signal` is aborted when it is left. */
async function show() {
  if (!user || opening) return;
  viewController.abort();
  viewController = new AbortController();
  const { signal } = viewController;
  const found = route();
  if (!found) {
    location.hash = "#/";
    return;
  }
  header.mark(found.path);
  let view = null;
  try {
    view = await found.load();
  } catch (error) {
    if (!signal.aborted) showMissing(error);
    return;
  }
  if (signal.aborted) return;
  try {
    const { node, title } = view(app, found.ids.map(decodeURIComponent), new URLSearchParams(found.query), signal);
    setTitle(title);
    main.replaceChildren(node);
  } catch (error) {
    if (!signal.aborted) showStartError(error);
  }
}

async function signOut(button) {
  button.disabled = true;
  viewController.abort(); // what the view still asks for would be refused
  feed.pause();
  try {
    await request("POST", url(["auth", "logout"]), { repeatable: true, announce401: false });
  } catch (error) {
    if (error.status !== 401) { // 401: the session had already expired
      button.disabled = false;
      feed.start();
      show();
      showBanner(error.message);
      return;
    }
  }
  closeSession("You have signed out.");
}

function showBanner(text) {
  banner.textContent = text ?? "";
  banner.hidden = !text;
}

async function openSession(signedInUser) {
  user = signedInUser;
  showBanner(null);
  header.draw(user);
  main.replaceChildren(h("p", { class: "hint" }, "Loading your collections…"));
  try {
    opening = true;
    await collectionStore.refresh().finally(() => { opening = false; });
    if (!user) return; // signed out meanwhile
    feed.start();
    await show();
  } catch (error) {
    if (error.status !== 401 && error.name !== "AbortError") showStartError(error);
  }
}

/** Show the sign-in form; the URL stays, so that signing in again returns to the same view. */
async function closeSession(notice) {
  user = null;
  viewController.abort();
  feed.clear();
  collectionStore.clear();
  header.draw(null);
  setTitle("");
  try {
    await showSignIn(await request("GET", url(["auth", "setup"])), notice);
  } catch (error) {
    showStartError(error);
  }
}

async function showSignIn(setup, notice) {
  const { signInView } = await import("./sign-in-view.js");
  if (user) return; // signed in meanwhile
  main.replaceChildren(signInView({ setup, notice, onSignedIn: openSession }));
  main.querySelector("input").focus();
}

function showStartError(error) {
  const errors = errorLine();
  errors.show(error);
  const again = h("button", { type: "button", class: "primary", onclick: start }, "Try again");
  main.replaceChildren(h("div", { class: "card sign-in" }, errors.node, again));
}

/** A module could not be loaded: the server is away, or it has been upgraded and has other modules now. */
function showMissing(error) {
  console.info(error);
  main.replaceChildren(h("div", { class: "card sign-in" },
    h("p", {}, "This page could not be loaded. The server may be away, or may have been upgraded."),
    h("button", { type: "button", class: "primary", onclick: () => location.reload() }, "Load it again")));
}

async function start() {
  route()?.load().catch(() => {}); // while the server is asked; `show` reports what fails
  try {
    const setup = await request("GET", url(["auth", "setup"]));
    if (setup.user) await openSession(setup.user);
    else await showSignIn(setup, "");
  } catch (error) {
    showStartError(error);
  }
}

events.addEventListener("unauthorized", () => { if (user) closeSession("Your session has ended. Sign in again."); });
events.addEventListener("waiting", (event) => showBanner(event.detail));
collectionStore.addEventListener("error", (event) => { if (event.detail.status !== 401) showBanner(event.detail.message); });
collectionStore.addEventListener("change", () => { if (!banner.hidden) showBanner(null); });
document.getElementById("skip").addEventListener("click", () => main.focus());
window.addEventListener("hashchange", () => {
  window.scrollTo(0, 0);
  main.focus({ preventScroll: true });
  show();
});
document.addEventListener("visibilitychange", () => {
  if (user && document.visibilityState === "visible") collectionStore.refreshQuietly();
});
searchKeys(() => { if (user) location.hash = "#/"; }, { on: window });
trackProgress(feed);
notifyOfEnds(feed);
start();
