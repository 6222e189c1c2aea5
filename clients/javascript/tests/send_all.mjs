// Sends every call once, with the arguments of the file that the second argument names: pytest compares the requests
// with those of the Python client.

import { readFileSync } from "node:fs";

import { Client } from "../index.js";

const [url, file] = process.argv.slice(2);
const client = new Client(url, { token: "a-token", attempts: 1 });
for (const [name, args, content] of JSON.parse(readFileSync(file, "utf8"))) {
  const given = content === null ? args : { ...args, content: new TextEncoder().encode(content) };
  const result = await client[name](given);
  if (typeof result?.next === "function") for await (const _ of result);
  else if (result instanceof Response) await result.arrayBuffer();
}
