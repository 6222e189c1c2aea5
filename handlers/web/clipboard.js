// Puts a text on the clipboard, and says so on the button that was pressed.
import { h } from "./dom.js";

const SHOWN_MS = 2_000;

/** Without a secure connection a browser has no clipboard for pages: there the old command works, of a selected text. */
async function put(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = h("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1" });
  area.value = text;
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus();
  if (!done) throw new Error("The browser did not allow it.");
  return undefined;
}

/** A button that copies what `text()` gives. */
export function copyButton(label, text, className = "quiet") {
  const button = h("button", { type: "button", class: className }, label);
  button.addEventListener("click", async () => {
    let said = "Copied";
    try {
      await put(text());
    } catch (error) {
      said = `Not copied: ${error.message}`;
    }
    button.textContent = said;
    button.setAttribute("aria-live", "polite");
    setTimeout(() => { button.textContent = label; }, SHOWN_MS);
  });
  return button;
}
