// OpenAI's SDK for JavaScript: Chat Completions with its tool runner, and Responses.

// settings
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://127.0.0.1:8787/v1", apiKey: "none" });
const model = "contemplating";

// turns
import { LOOK, TEXT, WEATHER, weather } from "./turns.mjs";

async function text() {
  const messages = [{ role: "user", content: TEXT }];
  const done = await client.chat.completions.create({ model, messages });
  const streamed = await client.chat.completions.stream({ model, messages }).finalContent();
  const response = await client.responses.stream({ model, input: TEXT }).finalResponse();
  console.log(done.choices[0].message.content, streamed, response.output_text);
}

async function tool() {
  const runner = client.chat.completions.runTools({
    model,
    messages: [{ role: "user", content: LOOK }],
    tools: [{ type: "function", function: { ...WEATHER, function: weather, parse: JSON.parse } }],
  });
  console.log(await runner.finalContent());
  const tools = [{ type: "function", ...WEATHER }];
  const first = await client.responses.create({ model, input: LOOK, tools });
  const results = first.output
    .filter((item) => item.type === "function_call")
    .map((item) => ({
      type: "function_call_output",
      call_id: item.call_id,
      output: weather(JSON.parse(item.arguments)),
    }));
  const last = await client.responses.create({
    model,
    input: results,
    tools,
    previous_response_id: first.id,
  });
  console.log(last.output_text);
}

await { text, tool }[process.argv[2]]();
