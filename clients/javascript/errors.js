// The errors of the client.

/** The server refused: `status` is the HTTP status or the close code, `message` the server's sentence. */
export class Refused extends Error {
  /** `problem`: the type of a problem document; `retryAfter`: in seconds, or null where the server did not say. */
  constructor(status, message, problem = "about:blank", retryAfter = null) {
    super(message);
    this.name = "Refused";
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** No server answers, or the connection was lost. `sent` is false where the server cannot know of the request. */
export class Unavailable extends Error {
  constructor(message, sent = true, options = undefined) {
    super(message, options);
    this.name = "Unavailable";
    this.sent = sent;
  }
}

/** The error of an answer whose status is 400 or more. */
export async function refusal(response) {
  const text = await response.text();
  let problem = {};
  try {
    problem = JSON.parse(text) ?? {};
  } catch {
    // not the server's: a proxy's page, say
  }
  const said = text.split(/\s+/).join(" ").slice(0, 200);
  const detail = problem.detail || `${response.url} answered ${response.status}: ${said}`;
  return new Refused(response.status, detail, problem.type, retryAfter(response.headers.get("Retry-After")));
}

/** Seconds: `Retry-After` has them, or a date. */
function retryAfter(header) {
  if (header === null) return null;
  if (/^\d+$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, (date - Date.now()) / 1000);
}
