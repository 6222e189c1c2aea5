// Answers that are read as they come: lines, JSON lines and Server-Sent Events.

import { Unavailable } from "./errors.js";

/** The lines of a body. Throws Unavailable when the connection is lost, or silent for `silence` seconds. */
export async function* lines(response, silence = 90) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    while (true) {
      const { value, done } = await inTime(reader.read(), silence);
      if (done) break;
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      for (const line of parts) yield line.replace(/\r$/, "");
    }
    if (rest) yield rest;
  } finally {
    reader.cancel().catch(() => {}); // what was lost needs no cancelling
  }
}

/** The values of a body that has a JSON value on each line. */
export async function* jsonLines(response) {
  for await (const line of lines(response)) if (line) yield JSON.parse(line);
}

/** Server-Sent Events, as {event, id, data} with `data` parsed. */
export async function* events(response, silence) {
  let event = "message";
  let id = "";
  let data = [];
  for await (const line of lines(response, silence)) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "event") event = value;
    else if (field === "id") id = value;
    else if (field === "data") data.push(value);
    else if (line === "" && data.length) {
      yield { event, id, data: JSON.parse(data.join("\n")) };
      event = "message";
      data = [];
    }
  }
}

async function inTime(reading, seconds) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Unavailable(`The server has sent nothing for ${seconds} s.`)), seconds * 1000);
  });
  try {
    return await Promise.race([reading, late]);
  } catch (error) {
    if (error instanceof Unavailable || error.name === "AbortError") throw error;
    throw new Unavailable("The connection was lost before the end of the answer.", true, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
