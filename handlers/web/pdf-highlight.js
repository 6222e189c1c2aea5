// Finds a passage of the extracted text on a page of a PDF. Pure.
//
// The readers join lines, undo hyphens and may reorder columns, so the texts differ. Both are compared by their letters
// and digits alone, and what is covered by common runs of letters counts as found.

const RUN = 12; // letters that must agree
const GAP = 24; // letters between two runs that belong together
const LEAST = 8; // a whole passage that is shorter than a run must agree in this many

/** The letters and digits of a text in one case, and of which character each comes. */
function letters(text) {
  const found = [];
  const places = [];
  let at = 0;
  for (const character of text) {
    for (const letter of character.normalize("NFKC").toLowerCase()) {
      if (/[\p{L}\p{N}]/u.test(letter)) {
        found.push(letter);
        places.push([at, at + character.length]);
      }
    }
    at += character.length;
  }
  return { found, places };
}

/**
 * Where `passage` stands in the items of a page: a list of {item, from, to}, in characters of each item. With
 * `continued` only the end of the passage may stand there, at the beginning of the page.
 */
export function passageRanges(items, passage, continued = false) {
  const wanted = letters(passage).found.join("");
  const owners = [];
  const page = [];
  items.forEach((text, item) => {
    const { found, places } = letters(text);
    found.forEach((letter, at) => {
      page.push(letter);
      owners.push({ item, from: places[at][0], to: places[at][1] });
    });
  });
  const covered = cover(page, wanted);
  if (continued && covered.indexOf(1) > GAP * 4) return []; // another place with the same words
  return joined(owners, covered);
}

/** 1 for each letter of the page that belongs to the passage. */
function cover(page, wanted) {
  const text = page.join("");
  const covered = new Uint8Array(page.length);
  const whole = wanted.length >= LEAST ? text.indexOf(wanted) : -1;
  if (whole >= 0) return covered.fill(1, whole, whole + wanted.length);
  const runs = new Set();
  for (let at = 0; at + RUN <= wanted.length; at += 1) runs.add(wanted.slice(at, at + RUN));
  for (let at = 0; at + RUN <= text.length; at += 1) {
    if (runs.has(text.slice(at, at + RUN))) covered.fill(1, at, at + RUN);
  }
  let last = -1;
  for (let at = 0; at < covered.length; at += 1) {
    if (!covered[at]) continue;
    if (last >= 0 && at - last > 1 && at - last <= GAP) covered.fill(1, last, at);
    last = at;
  }
  return covered;
}

function joined(owners, covered) {
  const ranges = [];
  owners.forEach(({ item, from, to }, at) => {
    if (!covered[at]) return;
    const open = ranges.at(-1);
    if (open?.item === item && covered[at - 1]) open.to = to;
    else ranges.push({ item, from, to });
  });
  return ranges;
}
