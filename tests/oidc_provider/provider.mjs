// A real OpenID Connect provider (oidc-provider, certified by the OpenID Foundation) for the tests, whose accounts are
// given, and which can be made to fail: `node provider.mjs '{"accounts": {"ann": {…claims}}, "client": {…}}'`.
//
// It prints {"issuer": …}, then obeys one JSON object a line and answers each with {}:
//   client: its metadata   keys: "rotate" (new key) or "replace" (new key under the same kid)
//   publish: "others" (a key set that has signed nothing) or "own"   skew_s: by how much its clock is ahead
//   delay_ms: before each answer   only: the path that is delayed, all by default   status: answer with it instead
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const config = JSON.parse(process.argv[2]);
const state = { skew_s: 0, delay_ms: 0, only: "", status: 0, publish: "own", client: config.client };
const now = Date.now;
Date.now = () => now() + 1000 * state.skew_s;

let kid = 0;
let keys;
let others;
let callback;

function newKey(name) {
  const made = config.algorithm === "ES256"
    ? generateKeyPairSync("ec", { namedCurve: "P-256" })
    : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...made.privateKey.export({ format: "jwk" }), kid: name, use: "sig", alg: config.algorithm ?? "RS256" };
}

function build() {
  const provider = new Provider(issuer, {
    clients: [{
      client_id: "semantik",
      redirect_uris: ["http://127.0.0.1/"],
      id_token_signed_response_alg: config.algorithm ?? "RS256",
      ...state.client,
    }],
    jwks: { keys: [keys] },
    cookies: { keys: ["of the tests"] },
    claims: {
      openid: ["sub"],
      profile: ["preferred_username", "groups", "realm_access"],
      email: ["email", "email_verified"],
    },
    conformIdTokenClaims: config.claims_in_id_token !== true,
    pkce: { required: () => true },
    ttl: { IdToken: 120 },
    async findAccount(_, id) {
      const claims = config.accounts[id];
      return claims && { accountId: id, claims: async () => ({ sub: id, ...claims }) };
    },
  });
  callback = provider.callback();
}

function publicPart({ d, p, q, dp, dq, qi, ...rest }) {
  return rest;
}

function answer(request, response) {
  const path = request.url.split("?")[0];
  const failing = !state.only || state.only === path;
  const go = () => {
    if (state.status && failing) {
      response.writeHead(state.status).end();
    } else if (path === "/jwks" && state.publish === "others") {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ keys: [publicPart(others)] }));
    } else {
      callback(request, response);
    }
  };
  if (state.delay_ms && failing) setTimeout(go, state.delay_ms);
  else go();
}

const server = config.certificate
  ? https.createServer({ cert: readFileSync(config.certificate), key: readFileSync(config.key) }, answer)
  : http.createServer(answer);
await new Promise((resolve) => { server.listen(config.port ?? 0, "127.0.0.1", resolve); });
const issuer = `${config.certificate ? "https" : "http"}://localhost:${server.address().port}`;
keys = newKey("0");
build();
console.log(JSON.stringify({ issuer }));

createInterface({ input: process.stdin }).on("line", (line) => {
  const command = JSON.parse(line);
  if (command.keys === "rotate") keys = newKey(String(kid += 1));
  if (command.keys === "replace") keys = newKey(String(kid));
  if (command.publish === "others") others = newKey(String(kid));
  if (command.keys || command.client) {
    if (command.client) state.client = command.client;
    build();
  }
  for (const name of ["skew_s", "delay_ms", "only", "status", "publish"]) {
    if (name in command) state[name] = command[name];
  }
  console.log("{}");
}).on("close", () => process.exit(0)); // whoever started it has gone
