// What the panel of a collection's statistics shows: numbers and small bars of its types, languages, sizes, chunks and indexes.
import { barChart } from "./bar-chart.js";
import { h } from "./dom.js";
import { bytes, languageName, number, plural } from "./format.js";

const MOST = 8;

/** Bars of counts below bounds, as {label, value}; `text(bound)` names a bound. */
function ranges(bars, text) {
  return bars.map(({ below, count }, place) => {
    const from = place ? bars[place - 1].below : 0;
    const label = below === null ? `${text(from)} and more` : place ? `${text(from)} – ${text(below)}` : `below ${text(below)}`;
    return { label, value: count };
  });
}

/** The most frequent, and the sum of the others. */
function tallies(found, name, onClick) {
  const rows = found.slice(0, MOST).map((each) => ({
    label: name(each.value), value: each.documents, note: `${bytes(each.bytes)}, ${plural(each.chunks, "chunk")}`, onClick: onClick && (() => onClick(each.value)),
  }));
  const rest = found.slice(MOST).reduce((sum, each) => sum + each.documents, 0);
  return rest ? [...rows, { label: "others", value: rest }] : rows;
}

const fact = (term, value, note) => h("div", { class: "fact" }, h("dt", {}, term), h("dd", {}, value), note ? h("dd", { class: "hint" }, note) : null);

/** The nodes {facts, charts} of the statistics and the record of a collection; `onFilter(changes)` shows documents in the table. */
export function statisticsNodes(found, { stats, embedding_model: model, precision, chunk_size: size, chunk_overlap: overlap }, onFilter) {
  const recall = stats.measured_recall;
  const facts = [
    fact("Documents", number(found.documents), bytes(found.bytes)),
    fact("Chunks", number(found.chunks), found.mean_chunk_length ? `${number(found.mean_chunk_length)} characters on average` : ""),
    fact("With warnings", number(found.warned), found.warned ? h("button", { type: "button", class: "link", onclick: () => onFilter({ status: "warned" }) }, "Show them") : ""),
    found.missing ? fact("File not found", number(found.missing), "by the last scan") : null,
    fact("Model", model, `${precision}, up to ${plural(size, "token")}, ${number(overlap)} shared`),
    fact("Index of meaning", stats.vectors ? `${bytes(stats.bytes ?? 0)}` : "none yet", stats.vectors ? `${plural(stats.segments, "segment")}${stats.engine ? `, ${stats.engine}` : ""}` : ""),
    fact("Measured recall", recall ? `${(100 * recall).toFixed(1)} %` : "exact", recall ? "of the true ten best, found by the index" : "every chunk is compared"),
    fact("Index of words", stats.keywords.state === "ready" ? bytes(stats.keywords.bytes) : "being built", plural(stats.keywords.chunks, "chunk")),
  ].filter(Boolean);
  const size_ = (bound) => bytes(bound).replace("1.0 ", "1 ");
  const charts = [
    barChart("Types", tallies(found.types, (value) => value, (type) => onFilter({ type })), "Documents"),
    barChart("Languages", tallies(found.languages, languageName), "Documents"),
    barChart("Sizes of documents", ranges(found.sizes, size_), "Documents"),
    barChart(found.sampled_chunks < found.chunks ? `Lengths of chunks, in characters (a sample of ${number(found.sampled_chunks)})` : "Lengths of chunks, in characters",
      ranges(found.chunk_lengths, number), "Chunks"),
  ].filter(Boolean);
  return { facts, charts };
}
