// Compiled, not run: each line with @ts-expect-error must be an error.

import { Client, Refused, type Schemas } from "../index.js";

export async function uses(client: Client): Promise<void> {
  const found = await client.search({ query: "kite", mode: "words" });
  const score: number | null = found.hits[0].score;
  const hit: Schemas["Hit"] = found.hits[0];
  const page = await client.listDocuments({ collection_id: "x", warned: true as const, limit: 5 });
  const next: string | null = page.next_cursor;
  for await (const document of client.each("listDocuments", { collection_id: "x" })) document.name.toUpperCase();
  await client.endSessions({ keep_current: true });
  await client.endSessions();
  const nothing: undefined = await client.deleteCollection({ collection_id: "x" });
  const metrics: string = await client.getMetrics();
  for await (const { event } of await client.followOperation({ operation_id: "x" })) event.toUpperCase();
  for await (const message of client.watch("x", { since: "$" })) message.data.status;
  // @ts-expect-error a query is needed
  await client.search({});
  // @ts-expect-error there is no such mode
  await client.search({ query: "kite", mode: "magic" });
  // @ts-expect-error there is no such argument
  await client.listCollections({ colour: "red" });
  // @ts-expect-error a hit has no such field
  found.hits[0].colour;
  // @ts-expect-error nothing to list there
  client.each("getMe");
  if (new Error() instanceof Refused) console.log(score, hit, next, nothing, metrics);
}
