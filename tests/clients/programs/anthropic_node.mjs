// Anthropic's SDK for JavaScript: Messages, and its tool runner.

// settings
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ baseURL: "http://127.0.0.1:8787", apiKey: "none" });
const model = "contemplating";

// turns
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import * as z from "zod";
import { LOOK, TEXT, weather } from "./turns.mjs";

async function text() {
  const messages = [{ role: "user", content: TEXT }];
  const done = await client.messages.create({ model, max_tokens: 1000, messages });
  const streamed = await client.messages.stream({ model, max_tokens: 1000, messages }).finalText();
  console.log(done.content.at(-1).text, streamed);
}

async function tool() {
  const look = betaZodTool({
    name: "weather",
    description: "The weather of a city.",
    inputSchema: z.object({ city: z.string() }),
    run: weather,
  });
  const messages = [{ role: "user", content: LOOK }];
  const done = await client.beta.messages.toolRunner({
    model,
    max_tokens: 1000,
    messages,
    tools: [look],
  });
  console.log(done.content.at(-1).text);
}

await { text, tool }[process.argv[2]]();
