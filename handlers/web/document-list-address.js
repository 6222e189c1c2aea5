// The list of documents in the page's address: its filters and its order. Pure functions.

export const STATES = [["", "all"], ["indexed", "indexed"], ["failed", "failed"], ["skipped", "skipped"],
  ["warned", "with warnings"], ["pending", "pending"]];
const FIELDS = ["status", "name", "type", "folder", "reason", "sort", "order"];

/** The list that an address asks for; what it does not say is "". */
export function listFrom(parameters) {
  const found = Object.fromEntries(FIELDS.map((field) => [field, parameters.get(field) ?? ""]));
  if (!STATES.some(([value]) => value === found.status)) found.status = "";
  return found;
}

/** The part of an address after "?", or "" for the plain list. */
export function listParameters(list) {
  const given = Object.entries(list).filter(([field, value]) => value && FIELDS.includes(field));
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** The filters of a list as the server takes them, in a query or as `where`. */
export function filtersOf(list, asText = true) {
  const { status, name, type, folder, reason } = list;
  const filters = { name, type, folder, reason };
  if (status === "warned") filters.warned = asText ? "true" : true;
  else filters.status = status;
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value));
}
