// The user's webhooks: list, form, a test, and what was sent to each lately.
import { request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { errorLine, field, h, runGuarded } from "./dom.js";
import { date, plural } from "./format.js";
import { loadedList } from "./loaded-list.js";

const EVENTS = [
  ["operation.completed", "an operation completes"],
  ["operation.failed", "an operation fails"],
  ["operation.cancelled", "an operation is cancelled"],
  ["operation.started", "an operation starts"],
];
const SHOWN = 10; // deliveries
const REFRESH_MS = 1_500; // after a test, to show its outcome

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
    const deliveries = h("ul", { class: "plain" });
    const details = h("details", { ontoggle: () => { if (details.open) show(); } },
      h("summary", {}, "Deliveries"), deliveries);
    const own = errorLine();

    async function show() {
      try {
        const { items } = await request("GET", url(["webhooks", webhook.id, "deliveries"], { limit: SHOWN }), { signal });
        deliveries.replaceChildren(...(items.length ? items.map(deliveryRow) : [h("li", { class: "hint" }, "Nothing was sent yet.")]));
      } catch (error) {
        if (!signal.aborted) own.show(error);
      }
    }

    async function send(button, place) {
      await runGuarded(button, own, async () => {
        await request("POST", url(["webhooks", webhook.id, ...place]), { signal });
        details.open = true;
        await show();
        setTimeout(() => { if (!signal.aborted) show(); }, REFRESH_MS);
      });
    }

    function deliveryRow(delivery) {
      const outcome = [delivery.event, delivery.status_code === null ? "" : `answer ${delivery.status_code}`,
        plural(delivery.attempts, "attempt"), date(delivery.ended_at ?? delivery.created_at)];
      const again = h("button", { type: "button", class: "quiet" }, "Send again");
      again.addEventListener("click", () => send(again, ["deliveries", delivery.id, "again"]));
      return h("li", { class: "row" },
        h("div", { class: "stack tight" },
          h("p", {}, h("span", { class: "tag status", "data-status": delivery.status === "failed" ? "failed" : null }, delivery.status),
            " ", h("span", { class: "hint" }, outcome.filter(Boolean).join(" · "))),
          delivery.error ? h("p", { class: "hint" }, delivery.error) : null),
        delivery.status === "pending" ? null : again);
    }

    const test = h("button", { type: "button", class: "quiet", "aria-label": `Send a test to ${webhook.name}` }, "Send a test");
    test.addEventListener("click", () => send(test, ["test"]));
    const gone = h("button", { type: "button", class: "danger quiet", "aria-label": `Delete ${webhook.name}…` }, "Delete…");
    gone.addEventListener("click", () => remove(webhook));
    const wanted = EVENTS.filter(([name]) => webhook.events.includes(name)).map(([, text]) => text);
    return h("li", { class: "stack tight" },
      h("div", { class: "row" }, h("p", { class: "named" }, h("span", {}, webhook.name), h("code", {}, webhook.url)),
        h("div", { class: "alert-actions" }, test, gone)),
      h("p", { class: "hint" }, wanted.length ? `when ${wanted.join(", ")}` : "for saved searches only"),
      webhook.disabled ? h("p", { class: "error" }, webhook.disabled) : null, details, own.node);
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
    nodes, fresh, newWebhook(signal, async (made) => {
      const text = h("input", { readonly: true, value: made.secret, spellcheck: "false", onfocus: () => text.select() });
      fresh.replaceChildren(field(`The secret of “${made.name}”`, text, "It signs the requests, and cannot be shown again."));
      await changed();
    }));
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
