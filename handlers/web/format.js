// Numbers, times and names as text for people. Pure functions.

const NUMBER = new Intl.NumberFormat("en");
const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

export const number = (value) => NUMBER.format(value);

/** `plural(2, "file")` is "2 files". */
export function plural(count, noun) {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export function bytes(size) {
  if (size < 1000) return plural(size, "byte");
  const units = ["kB", "MB", "GB", "TB"];
  let value = size / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** Seconds as text: "8 s", "4 min", "2 h 10 min". */
export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 1 : 0)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function date(text) {
  const time = new Date(text);
  return text && !Number.isNaN(time.getTime()) ? DATE.format(time) : "";
}

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const TIME = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });

/** "today, 14:02", or "3 Oct 2026". */
export function day(text) {
  const time = new Date(text);
  if (!text || Number.isNaN(time.getTime())) return "";
  return time.toDateString() === new Date().toDateString() ? `today, ${TIME.format(time)}` : DAY.format(time);
}

const BROWSERS = [[/\bEdg\//, "Edge"], [/\bOPR\//, "Opera"], [/\bFirefox\//, "Firefox"], [/\b(Headless)?Chrome\//, "Chrome"], [/\bSafari\//, "Safari"]];
const SYSTEMS = [[/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"]];

/** "Firefox on Linux" of a browser's User-Agent; another program's as it is. */
export function clientName(agent) {
  const named = (table) => table.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = agent.startsWith("Mozilla/") ? named(BROWSERS) : null;
  return browser ? [browser, named(SYSTEMS)].filter(Boolean).join(" on ") : agent;
}

const LANGUAGES = new Intl.DisplayNames("en", { type: "language" });

/** "German" for "de". */
export function languageName(code) {
  return LANGUAGES.of(code) ?? code;
}

/** "/a/b/c.pdf" is {folder: "/a/b/", name: "c.pdf"}. */
export function splitPath(path) {
  const split = path.lastIndexOf("/") + 1;
  return { folder: path.slice(0, split), name: path.slice(split) };
}

const UPLOADED = /^uploads:[^/]*/;

/** A path as people know it; that of an uploaded file without what the server added. */
export function shownPath(path) {
  return path.replace(/^uploads:[^/]*(\/[0-9a-f]{64})?/, "Uploaded files");
}

/** Whether a source holds uploaded files. */
export const isUploads = (path) => UPLOADED.test(path);

/** The folder of a document; of one inside an archive or mailbox, that of the file that holds it. */
export function folderOf(doc) {
  return shownPath(doc.path.endsWith(doc.name) ? doc.path.slice(0, -doc.name.length) : splitPath(doc.path).folder);
}
