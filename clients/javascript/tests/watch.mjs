// Prints the messages of an operation, a line each: pytest cuts the connection meanwhile.

import { Client } from "../index.js";

const [url, token, id, since] = process.argv.slice(2);
const client = new Client(url, { token });
try {
  for await (const message of client.watch(id, { since })) {
    console.log(JSON.stringify([message.type, message.seq ?? null, message.id ?? null]));
  }
} catch (error) {
  console.log(JSON.stringify([error.name, error.status ?? null, error.message]));
}
