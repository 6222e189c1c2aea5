// How long indexing takes, by the user's last operations.
import { request, url } from "./api.js";

/** Seconds that so many files take; null where no operation tells. */
export async function estimate(files, signal) {
  const { items } = await request("GET", url(["operations"], { status: "completed", limit: 50 }), { signal });
  const rates = items.filter(({ operation_type: type, result, processed_files: done }) => type !== "remove_source" && done > 2 && result?.duration_s > 0)
    .map(({ result, processed_files: done }) => result.duration_s / done).sort((a, b) => a - b);
  return rates.length ? files * rates[Math.floor(rates.length / 2)] : null;
}
