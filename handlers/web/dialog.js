// Modal dialogs with one action and a cancel button. They are appended to the body, outside of lists that are redrawn.
import { errorLine, runGuarded, h } from "./dom.js";

let dialogs = 0;

/**
 * Open a dialog. `submit` is {text, danger, action}: the dialog closes when `await action()` is done, and shows its error
 * if it fails; `cancel` is the text of the other button, or null for none. It closes when `signal` is aborted. On closing, the focus returns to where it was.
 */
export function openDialog({ title, content, submit, cancel = "Cancel", signal }) {
  dialogs += 1;
  const heading = `dialog-${dialogs}`;
  const opener = document.activeElement;
  const errors = errorLine();
  const confirm = h("button", { class: submit.danger ? "danger" : "primary" }, submit.text);
  const close = cancel && h("button", { type: "button", onclick: () => dialog.close() }, cancel);
  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      runGuarded(confirm, errors, async () => {
        await submit.action();
        dialog.close();
      });
    },
  }, h("h2", { id: heading }, title), content, errors.node, h("div", { class: "row" }, confirm, close));
  const dialog = h("dialog", { "aria-labelledby": heading, onclose: onClose }, form);
  const closeDialog = () => dialog.close();

  function onClose() {
    signal?.removeEventListener("abort", closeDialog);
    dialog.remove();
    const key = opener?.dataset.key;
    // The list that it was opened from may have been redrawn meanwhile.
    if (opener && !opener.isConnected && key) document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  signal?.addEventListener("abort", closeDialog);
  document.body.append(dialog);
  dialog.showModal();
  if (submit.danger) close.focus(); // an irreversible action must not follow from a key pressed twice
}
