// When a folder is scanned automatically: as text, and the dialog that changes it.
import { request, url } from "./api.js";
import { openDialog } from "./dialog.js";
import { field, h } from "./dom.js";
import { plural } from "./format.js";

const UNITS = [[604_800, "week"], [86_400, "day"], [3_600, "hour"], [60, "minute"], [1, "second"]];
const INTERVALS = [0, 600, 3_600, 21_600, 86_400, 604_800];

/** "hour", "6 hours", "90 seconds": the text after "every". */
function interval(seconds) {
  const [size, unit] = UNITS.find(([size]) => seconds % size === 0);
  return seconds === size ? unit : plural(seconds / size, unit);
}

/** "watched: at each change, and every 6 hours"; "" for a folder that is scanned only on request. */
export function watchingText({ immediate, interval_s: seconds }) {
  const times = [immediate ? "at each change" : "", seconds ? `every ${interval(seconds)}` : ""].filter(Boolean);
  return times.length ? `watched: ${times.join(", and ")}` : "";
}

export function openWatching(collectionId, source, { signal, onChanged }) {
  const now = source.interval_s ?? 0;
  const offered = [...new Set([...INTERVALS, now])].sort((a, b) => a - b);
  const immediate = h("input", { type: "checkbox", name: "immediate", checked: source.immediate });
  const every = h("select", { name: "interval_s" }, offered.map((seconds) => h("option", {
    value: seconds, selected: seconds === now,
  }, seconds ? `every ${interval(seconds)}` : "never")));
  openDialog({
    title: "When is it scanned again?",
    content: [
      h("p", { class: "folder" }, source.path),
      source.kind === "folder" && h("label", { class: "check" }, immediate, h("span", {}, "At each change in the folder")),
      field("By the clock", every, source.kind === "folder"
        ? "For folders that do not report changes, such as network folders." : "What is unchanged is not fetched again."),
      h("p", { class: "hint" }, "Only what is new or changed is read. With neither, it is scanned when you ask."),
    ],
    submit: {
      text: "Save",
      action: async () => {
        const body = { interval_s: Number(every.value) };
        if (source.kind === "folder") body.immediate = immediate.checked;
        await request("PATCH", url(["collections", collectionId, "sources", source.id]), { body });
        await onChanged();
      },
    },
    signal,
  });
}
