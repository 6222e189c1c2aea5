// The keys that lead to the search field from every page: "/" and Ctrl+K.

/** Whether keys are for the field that has the focus. */
export const typing = (target) => target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");

/**
 * Call `onSearch()` when the user wants to search, from wherever on the page. A view listens on `document`, and so before
 * what listens on `window`, for all of them.
 */
export function searchKeys(onSearch, { signal, on = document } = {}) {
  on.addEventListener("keydown", (event) => {
    const quick = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !event.shiftKey && !event.altKey;
    const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target);
    if ((!quick && !slash) || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    onSearch();
  }, { signal });
}
