// What was sent lately to a webhook, or by mail for a saved search: a list that opens, with "send again".
import { request, url } from "./api.js";
import { errorLine, h, runGuarded } from "./dom.js";
import { date, plural } from "./format.js";

const SHOWN = 10;
const REFRESH_MS = 1_500; // after something was sent, to show its outcome

/** {nodes, send}. `place` is the path of the webhook or search; `send(button, more)` posts to a path below it, and shows the list. */
export function deliveryList(place, heading, signal) {
  const list = h("ul", { class: "plain" });
  const errors = errorLine();
  const details = h("details", { ontoggle: () => { if (details.open) show(); } }, h("summary", {}, heading), list);

  async function show() {
    try {
      const { items } = await request("GET", url([...place, "deliveries"], { limit: SHOWN }), { signal });
      list.replaceChildren(...(items.length ? items.map(row) : [h("li", { class: "hint" }, "Nothing was sent yet.")]));
      errors.clear();
    } catch (error) {
      if (!signal.aborted) errors.show(error);
    }
  }

  async function send(button, more) {
    await runGuarded(button, errors, async () => {
      await request("POST", url([...place, ...more]), { signal });
      details.open = true;
      await show();
      setTimeout(() => { if (details.isConnected) show(); }, REFRESH_MS);
    });
  }

  function row(delivery) {
    const facts = [delivery.event, delivery.status_code === null ? "" : `answer ${delivery.status_code}`,
      plural(delivery.attempts, "attempt"), date(delivery.ended_at ?? delivery.created_at),
      delivery.next_attempt_at && delivery.attempts ? `next ${date(delivery.next_attempt_at)}` : ""];
    const again = h("button", { type: "button", class: "quiet" }, "Send again");
    again.addEventListener("click", () => send(again, ["deliveries", delivery.id, "again"]));
    return h("li", { class: "row" },
      h("div", { class: "stack tight" },
        h("p", {}, h("span", { class: "tag status", "data-status": delivery.status === "failed" ? "failed" : null }, delivery.status),
          " ", h("span", { class: "hint" }, facts.filter(Boolean).join(" · "))),
        delivery.error ? h("p", { class: "hint" }, delivery.error) : null),
      delivery.status === "pending" ? null : again);
  }

  return { nodes: [details, errors.node], send };
}
