// A notification of the browser when an operation ends, if the user has allowed it: asked only on a click.

const supported = () => "Notification" in window;

/** "granted", "denied", "default", or "unsupported". */
export const permission = () => (supported() ? Notification.permission : "unsupported");

export const askPermission = () => Notification.requestPermission();

/** Notify of operations of `feed` that end while the page is not looked at; not of scans of watched folders. */
export function notifyOfEnds(feed) {
  feed.addEventListener("ended", ({ detail: { id, collectionId, state, own } }) => {
    if (permission() !== "granted" || document.visibilityState === "visible" || (state.options.watched && !own)) return;
    const name = feed.collectionStore.get(collectionId)?.name ?? "";
    const notification = new Notification(`${state.title(name)}: ${state.stageText}`, { body: state.countsText, tag: id });
    notification.addEventListener("click", () => {
      window.focus();
      location.hash = "#/operations";
      notification.close();
    });
  });
}
