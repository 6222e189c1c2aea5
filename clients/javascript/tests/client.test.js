// Run by pytest against a real server: SEMANTIK_URL, SEMANTIK_USER and SEMANTIK_PASSWORD name it and a new user of it,
// SEMANTIK_FOLDER a folder that it may index.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { Client, Refused, Unavailable } from "../index.js";

const { SEMANTIK_URL: url, SEMANTIK_USER: user, SEMANTIK_PASSWORD: password, SEMANTIK_FOLDER: folder } = process.env;

/** A server whose answers the script says, one for each request: a status, or "close" for none. */
async function scripted(...script) {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push(request.method);
    const status = script.shift();
    if (status === "close") request.socket.destroy();
    else {
      response.writeHead(status, status === 429 || status === 503 ? { "Retry-After": "0" } : {});
      response.end(JSON.stringify(status < 400 ? { items: [], next_cursor: null } : { detail: "Wait." }));
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { requests, close, client: new Client(`http://127.0.0.1:${server.address().port}`) };
}

test("a folder is indexed, watched to its end, searched and listed", async () => {
  const client = new Client(url);
  await client.signIn(user, password);
  const made = await client.createCollection({ name: "Observatory", source_path: folder });
  const types = [];
  const seqs = [];
  for await (const message of client.watch(made.operation_id)) {
    types.push(message.type);
    if (message.seq) seqs.push(message.seq);
  }
  assert.equal(types[0], "current_state");
  assert.ok(types.includes("operation_completed"));
  assert.deepEqual(seqs, seqs.map((_, index) => index + 1));
  const found = await client.search({ query: "kite", collection_ids: [made.id], mode: "words" });
  assert.match(found.hits[0].passage, /northern meadow/);
  const names = [];
  for await (const document of client.each("listDocuments", { collection_id: made.id, limit: 1 })) {
    names.push(document.name);
  }
  assert.deepEqual(names, ["kite.txt", "tide.txt"]);
  const events = [];
  for await (const { event } of await client.followOperation({ operation_id: made.operation_id })) events.push(event);
  assert.equal(events.at(-1), "close");
  assert.equal(await client.deleteCollection({ collection_id: made.id }), undefined);
});

test("a file is uploaded and its original read back", async () => {
  const client = new Client(url);
  await client.signIn(user, password);
  const { id } = await client.createCollection({ name: "Uploaded" });
  const text = "The lamp of the pier is lit at dusk.";
  const { items: [sent] } = await client.upload({ collection_id: id, name: "lamp.txt", content: new Blob([text]) });
  assert.equal(sent.size, text.length);
  let upload;
  do {
    upload = await client.getUpload({ collection_id: id, upload_id: sent.id });
    if (upload.operation_id) for await (const _ of client.watch(upload.operation_id));
  } while (upload.document?.status !== "indexed");
  const place = { collection_id: id, document_id: upload.document.id };
  assert.equal(await (await client.getOriginal(place)).text(), text);
  const part = await client.getOriginal({ ...place, Range: "bytes=4-7" });
  assert.equal(await part.text(), "lamp");
  await client.deleteCollection({ collection_id: id });
});

test("text and unusual ids are sent and read as they are", async () => {
  const client = new Client(url);
  await client.signIn(user, password);
  assert.match(await client.getMetrics(), /^# HELP/m);
  await assert.rejects(client.getCollection({ collection_id: "a/b ?#" }), (error) => {
    assert.ok(error instanceof Refused);
    assert.equal(error.status, 404);
    return /a\/b \?#/.test(error.message);
  });
});

test("refusals have the server's sentence and status", async () => {
  await assert.rejects(new Client(url, { token: "x.y.z" }).getMe(), { name: "Refused", status: 401 });
  await assert.rejects(new Client(url).search(), /needs|Sign in/);
  await assert.rejects(new Client(url).getCollection(), TypeError);
  await assert.rejects(new Client(url).listCollections({ colour: 1 }), TypeError);
  await assert.rejects(async () => {
    for await (const _ of new Client(url, { token: "x.y.z" }).watch("none"));
  }, { name: "Refused", status: 401 });
});

test("what may be repeated is repeated, and nothing else", async () => {
  const listing = await scripted("close", 503, 429, 200);
  assert.deepEqual(await listing.client.listCollections(), { items: [], next_cursor: null });
  assert.equal(listing.requests.length, 4);
  await listing.close();

  const creating = await scripted("close", 200);
  await assert.rejects(creating.client.createCollection({ name: "x" }), Unavailable);
  assert.equal(creating.requests.length, 1);
  await creating.close();

  const unavailable = await scripted(503, 200);
  await assert.rejects(unavailable.client.createCollection({ name: "x" }), { status: 503, message: "Wait." });
  await unavailable.close();

  const limited = await scripted(429, 200);
  await limited.client.createCollection({ name: "x" });
  assert.equal(limited.requests.length, 2);
  await limited.close();

  const searching = await scripted("close", 200);
  await searching.client.search({ query: "x" });
  await searching.close();

  const lost = await scripted("close", "close", "close", "close", 200);
  await assert.rejects(lost.client.listCollections(), Unavailable);
  assert.equal(lost.requests.length, 4);
  await lost.close();
  await assert.rejects(lost.client.createCollection({ name: "x" }), { name: "Unavailable", sent: false });
});

test("a call that is aborted ends", async () => {
  const client = new Client(url);
  await client.signIn(user, password);
  await assert.rejects(client.listCollections({}, { signal: AbortSignal.abort() }), { name: "AbortError" });
});
