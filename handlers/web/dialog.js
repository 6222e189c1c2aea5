// Dialogs: a question with one thing to do, and a way out. They stand outside of the lists that are redrawn below them.
import { errorLine, guarded, h } from "./dom.js";

let dialogs = 0;

/**
 * Ask. `submit` is {text, danger, action}: the dialog closes when `await action()` is done, and shows its error if it
 * fails. It goes with `signal`, and afterwards the focus is where it was.
 */
export function openDialog({ title, content, submit, cancel = "Cancel", signal }) {
  dialogs += 1;
  const heading = `dialog-${dialogs}`;
  const asked = document.activeElement;
  const errors = errorLine();
  const confirm = h("button", { class: submit.danger ? "danger" : "primary" }, submit.text);
  const close = h("button", { type: "button", onclick: () => dialog.close() }, cancel);
  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      guarded(confirm, errors, async () => {
        await submit.action();
        dialog.close();
      });
    },
  }, h("h2", { id: heading }, title), content, errors.node, h("div", { class: "row" }, confirm, close));
  const dialog = h("dialog", { "aria-labelledby": heading, onclose: left }, form);
  const leave = () => dialog.close();

  function left() {
    signal?.removeEventListener("abort", leave);
    dialog.remove();
    const key = asked?.dataset.key;
    // The list that it was asked from may have been redrawn meanwhile.
    if (asked && !asked.isConnected && key) document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  signal?.addEventListener("abort", leave);
  document.body.append(dialog);
  dialog.showModal();
  if (submit.danger) close.focus(); // what cannot be undone is not done by a key pressed twice
}
