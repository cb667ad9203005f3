// The AI SDK with its providers for OpenAI (the default one, and .chat), Anthropic, and compatible servers.

// settings
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";

const baseURL = "http://127.0.0.1:8787/v1";
const openai = createOpenAI({ baseURL, apiKey: "none" });
const anthropic = createAnthropic({ baseURL, apiKey: "none" });
const compatible = createOpenAICompatible({ name: "muse", baseURL, apiKey: "none" });
const models = [
  openai("contemplating"),
  openai.chat("contemplating"),
  anthropic("contemplating"),
  compatible("contemplating"),
];

// turns
import assert from "node:assert";
import { Output, generateText, stepCountIs, streamText, tool as asTool } from "ai";
import * as z from "zod";
import { LOOK, OBJECT, TEXT, weather } from "./turns.mjs";

const person = Output.object({ schema: z.object({ name: z.string(), age: z.number() }) });
const tools = {
  weather: asTool({
    description: "The weather of a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: weather,
  }),
};

async function text(model) {
  const said = await generateText({ model, prompt: TEXT });
  assert.equal(await streamText({ model, prompt: TEXT }).text, said.text);
  const object = await generateText({ model, prompt: OBJECT, output: person });
  assert.deepEqual(object.output, { name: "Ada", age: 36 });
  return said.text;
}

async function tool(model) {
  const messages = [{ role: "user", content: LOOK }];
  const settings = { model, tools, stopWhen: stepCountIs(3) };
  const first = await generateText({ ...settings, messages });
  messages.push(...(first.responseMessages ?? first.response.messages), { role: "user", content: LOOK });
  const second = streamText({ ...settings, messages });
  assert.equal(await second.text, first.text);
  return first.text;
}

for (const model of models) {
  console.log(model.provider, await { text, tool }[process.argv[2]](model));
}
