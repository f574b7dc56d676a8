// A check, a cap, a batch, a hold and two refusals by the client that is generated for TypeScript.
// Reads a JSON object from standard input; writes the fields that it read from the answers.
import { readFileSync } from "node:fs";

import createClient from "openapi-fetch";

import type { components, paths } from "./generated/schema.js";

type Schemas = components["schemas"];

interface Task {
  url: string;
  key: string;
  listed: string;
  innocent: string;
  hold_key: string;
  over_key: string;
}

const task = JSON.parse(readFileSync(0, "utf8")) as Task;
const client = createClient<paths>({
  baseUrl: task.url,
  headers: { Authorization: `Bearer ${task.key}` },
});

const train: Schemas["Rail"] = { type: "rail", train: "G79", seat: "second" };

function subject(number: string): Schemas["Subject"] {
  return { document: { type: "resident_id", number } };
}

function resort(amount_fen: number): Schemas["Resort"] {
  return { type: "resort", venue: "rated_resort", amount_fen };
}

function given<T>(answer: { data?: T; error?: Schemas["Problem"] }): T {
  if (answer.data === undefined) {
    throw new Error(answer.error?.code ?? "an answer without a body");
  }
  return answer.data;
}

function shown(result: Schemas["BatchItem"] | Schemas["ItemError"]): string {
  return "error" in result ? result.error.code : result.decision;
}

async function check(service: Schemas["Check"]["service"]): Promise<Schemas["Answer"]> {
  return given(await client.POST("/v1/checks", { body: { subject: subject(task.listed), service } }));
}

async function hold(amount_fen: number, key: string) {
  return client.POST("/v1/spending/authorizations", {
    params: { header: { "Idempotency-Key": key } },
    body: { subject: subject(task.listed), service: resort(amount_fen) },
  });
}

const denied = await check(train);
const capped = await check(resort(50_000));
const batch = given(
  await client.POST("/v1/checks/batch", {
    body: {
      service: train,
      subjects: [subject(task.listed), subject(task.innocent), subject("1")],
    },
  }),
);
const held = given(await hold(50_000, task.hold_key));
const over = await hold(200_000, task.over_key);
const stranger = createClient<paths>({ baseUrl: task.url });
const refused = await stranger.GET("/v1/list");

console.log(
  JSON.stringify({
    denied: [denied.decision, ...denied.reasons.map((reason) => reason.listing?.id ?? null)],
    capped: [capped.decision, capped.spending?.limit_fen ?? null],
    batch: batch.results.map(shown),
    held: [held.status, held.status === "uncapped" ? null : held.amount_fen],
    over: [over.error?.code ?? null, over.error?.spending?.remaining_fen ?? null],
    refused: refused.error?.code ?? null,
  }),
);
