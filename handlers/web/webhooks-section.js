// The user's webhooks: list, form, a test, and what was sent to each lately.
import { request, url } from "./api.js";
import { deliveryList } from "./delivery-list.js";
import { openDialog } from "./dialog.js";
import { errorLine, field, h, runGuarded } from "./dom.js";
import { date } from "./format.js";
import { loadedList } from "./loaded-list.js";

const EVENTS = [
  ["operation.completed", "an operation completes"],
  ["operation.failed", "an operation fails"],
  ["operation.cancelled", "an operation is cancelled"],
  ["operation.started", "an operation starts"],
];

/** {node, list, refresh}; `onChange()` is called when webhooks were added or removed, and `list` has them by then. */
export function webhooksSection(signal, onChange) {
  const section = { list: [] };
  const { nodes, refresh } = loadedList(["webhooks"], row, "No webhooks yet.", signal,
    (webhooks) => section.list.splice(0, section.list.length, ...webhooks));
  section.refresh = refresh;
  const fresh = h("div", { role: "status" });

  async function changed() {
    await refresh();
    await onChange();
  }

  function row(webhook) {
    const deliveries = deliveryList(["webhooks", webhook.id], "Deliveries", signal);
    const test = h("button", { type: "button", class: "quiet", "aria-label": `Send a test to ${webhook.name}` }, "Send a test");
    test.addEventListener("click", () => deliveries.send(test, ["test"]));
    const renewal = h("button", { type: "button", class: "quiet", "aria-label": `New secret of ${webhook.name}…` }, "New secret…");
    renewal.addEventListener("click", () => rotate(webhook));
    const gone = h("button", { type: "button", class: "danger quiet", "aria-label": `Delete ${webhook.name}…` }, "Delete…");
    gone.addEventListener("click", () => remove(webhook));
    const wanted = EVENTS.filter(([name]) => webhook.events.includes(name)).map(([, text]) => text);
    const overlap = webhook.previous_secret_until && new Date(webhook.previous_secret_until) > new Date()
      ? h("p", { class: "hint" }, `The former secret signs, too, until ${date(webhook.previous_secret_until)}.`) : null;
    return h("li", { class: "stack tight" },
      h("div", { class: "row" }, h("p", { class: "named" }, h("span", {}, webhook.name), h("code", {}, webhook.url)),
        h("div", { class: "alert-actions" }, test, renewal, gone)),
      h("p", { class: "hint" }, wanted.length ? `when ${wanted.join(", ")}` : "for saved searches only"), overlap,
      webhook.disabled ? h("p", { class: "error" }, webhook.disabled) : null, deliveries.nodes);
  }

  async function showSecret(webhook) {
    const text = h("input", { readonly: true, value: webhook.secret, spellcheck: "false", onfocus: () => text.select() });
    fresh.replaceChildren(field(`The secret of “${webhook.name}”`, text, "It signs the requests, and cannot be shown again."));
    await changed();
  }

  function rotate(webhook) {
    const atOnce = h("input", { type: "checkbox" });
    openDialog({
      title: `A new secret for “${webhook.name}”`,
      content: h("div", { class: "stack" },
        h("p", {}, "Requests are signed with both secrets for a day, so that the receiver can change over."),
        h("label", { class: "check" }, atOnce, "The present secret has leaked: end it at once")),
      submit: {
        text: "Make secret",
        action: async () => {
          const body = atOnce.checked ? { overlap_s: 0 } : {};
          await showSecret(await request("POST", url(["webhooks", webhook.id, "secret"]), { body }));
        },
      },
      signal,
    });
  }

  function remove({ id, name }) {
    openDialog({
      title: `Delete “${name}”?`,
      content: h("p", {}, "Nothing more is sent to it, and what is still to be sent is dropped."),
      submit: {
        text: "Delete webhook",
        danger: true,
        action: async () => {
          await request("DELETE", url(["webhooks", id]));
          await changed();
        },
      },
      cancel: "Keep it",
      signal,
    });
  }

  section.node = h("section", { class: "card stack", "aria-labelledby": "webhooks-heading" },
    h("h2", { id: "webhooks-heading" }, "Webhooks"),
    h("p", { class: "hint" }, "Addresses that get signed requests: for alerts, and for the events of operations."),
    nodes, fresh, newWebhook(signal, showSecret));
  return section;
}

function newWebhook(signal, onMade) {
  const name = h("input", { name: "webhook-name", required: true, maxlength: 200, autocomplete: "off" });
  const address = h("input", { name: "url", type: "url", required: true, maxlength: 2000, placeholder: "https://example.org/hook" });
  const events = EVENTS.map(([value, text]) => [value, h("input", { type: "checkbox", value }), text]);
  const errors = errorLine();
  const submit = h("button", { class: "primary" }, "Create webhook");
  const form = h("form", {
    class: "stack",
    onsubmit: (event) => {
      event.preventDefault();
      runGuarded(submit, errors, async () => {
        const chosen = events.filter(([, input]) => input.checked).map(([value]) => value);
        const made = await request("POST", url(["webhooks"]), { body: { name: name.value, url: address.value, events: chosen }, signal });
        form.reset();
        await onMade(made);
      });
    },
  }, h("div", { class: "fields" }, field("Name of the webhook", name), field("Address", address)),
  h("fieldset", { class: "stack tight" }, h("legend", { class: "label" }, "It is told when"),
    events.map(([, input, text]) => h("label", { class: "check" }, input, text))),
  errors.node, h("div", { class: "row" }, submit));
  return form;
}
