// Makes calls with the official SDKs of JavaScript and prints what they made of them.
//
// Each line of standard input is a call as JSON: `sdk`, `base`, `key`, `op`, `params`, and optionally `headers`,
// `bearer` and `leave_after`. For each a line is printed: `result`, `events`, `headers` and `error` as JSON.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.env.SYSTEMPROMPT_TEST_NODE + "/package.json"));

function failure(error) {
  const kinds = [];
  for (let type = error.constructor; type?.name; type = Object.getPrototypeOf(type)) kinds.push(type.name);
  return {
    kind: error.constructor.name,
    kinds,
    status: error.status ?? null,
    message: error.message,
    body: error.error ?? null,
    code: error.code ?? null,
    request_id: error.requestID ?? null,
    headers: error.headers instanceof Headers ? Object.fromEntries(error.headers) : {},
  };
}

function calls(client) {
  if (client.messages) {
    return {
      messages: client.messages,
      count_tokens: (params) => client.messages.countTokens(params),
      models: () => client.models.list(),
      model: (params) => client.models.retrieve(params.model_id),
    };
  }
  return {
    chat: client.chat.completions,
    responses: client.responses,
    input_tokens: (params) => client.responses.inputTokens.count(params),
    models: () => client.models.list(),
    model: (params) => client.models.retrieve(params.model),
  };
}

// Whether the job wanted to leave.
async function collect(stream, job, out) {
  for await (const event of stream) {
    out.events.push(event);
    if (out.events.length === job.leave_after) {
      (stream.controller ?? stream).abort();
      return true;
    }
  }
  return false;
}

async function run(client, job, out) {
  const [name, how] = job.op.split(".");
  const call = calls(client)[name];
  if (how === "events") {
    const { data, response } = await call.create({ ...job.params, stream: true }).withResponse();
    out.headers = Object.fromEntries(response.headers);
    await collect(data, job, out);
  } else if (how === "stream") {
    const stream = call.stream(job.params);
    if (await collect(stream, job, out)) return;
    const final = ["finalChatCompletion", "finalResponse", "finalMessage"].find((name) => stream[name]);
    out.result = await stream[final]();
  } else if (call.create) {
    const { data, response } = await call.create(job.params).withResponse();
    out.headers = Object.fromEntries(response.headers);
    out.result = data;
  } else if (name === "models") {
    out.result = [];
    for await (const model of call()) out.result.push(model);
  } else {
    out.result = await call(job.params);
  }
}

function connected(job) {
  const options = { maxRetries: 0, timeout: 30000, defaultHeaders: job.headers ?? {} };
  if (job.sdk === "anthropic") {
    const { Anthropic } = require("@anthropic-ai/sdk");
    const key = job.bearer ? { authToken: job.key, apiKey: null } : { apiKey: job.key };
    return new Anthropic({ baseURL: job.base, ...key, ...options });
  }
  const { OpenAI } = require("openai");
  return new OpenAI({ baseURL: job.base + "/v1", apiKey: job.key, ...options });
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  const out = { result: null, events: [], headers: {}, error: null };
  try {
    await run(connected(job), job, out);
  } catch (error) {
    out.error = failure(error);
  }
  process.stdout.write(JSON.stringify(out) + "\n");
}
