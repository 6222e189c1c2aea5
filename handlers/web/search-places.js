// What was shown at each entry of the browser's history, so that back and forward are instant and keep their place.
// It is kept in memory: after a reload the page asks again.

const MOST = 30;
const places = new Map();
let last = 0;

/** The number of the present entry of the history. */
export function entry() {
  const known = history.state?.entry;
  if (known !== undefined) return known;
  return mark();
}

function mark() {
  last = Date.now() > last ? Date.now() : last + 1; // also after a reload no number is used again
  history.replaceState({ ...history.state, entry: last }, "");
  return last;
}

/** Go to another address, as a new entry or in place of the present one. No "hashchange" follows. */
export function goTo(address, replace) {
  if (location.hash === address || (!location.hash && address === "#/")) return entry();
  if (replace) {
    history.replaceState(history.state, "", address);
    return entry();
  }
  history.pushState(null, "", address);
  return mark();
}

export function keep(number, place) {
  places.delete(number);
  places.set(number, place);
  if (places.size > MOST) places.delete(places.keys().next().value);
}

export const kept = (number) => places.get(number);
