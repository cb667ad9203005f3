// The questions that every program is asked, and the tool that it may use.

export const TEXT = "Say heliotrope.";
export const OBJECT = "Who is that? Say Ada.";
export const LOOK = "What is the weather in Paris?";
export const WEATHER = {
  name: "weather",
  description: "The weather of a city.",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
};

export function weather({ city }) {
  return `In ${city} it is ${process.env.SECRET}.`;
}
