// Talks to a server with the official client and prints what it got as JSON: node chat.mjs URL KEY
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: process.argv[3], maxRetries: 0 });
const messages = [{ role: "user", content: "Where are we?", name: "Beth" }];
const ask = { model: "run:Rick", messages, temperature: 0, max_tokens: 8 };

const models = [];
for await (const model of client.models.list()) models.push(model.id);
const reply = await client.chat.completions.create(ask);
let streamed = "";
let usage = null;
for await (const chunk of await client.chat.completions.create({
  ...ask,
  stream: true,
  stream_options: { include_usage: true },
})) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
const completion = await client.completions.create({ model: "run", prompt: "Rick:", max_tokens: 4, temperature: 0 });
let refused = null;
try {
  await client.chat.completions.create({ ...ask, model: "nobody" });
} catch (error) {
  refused = { kind: error.constructor.name, status: error.status, code: error.code, param: error.param };
}
console.log(
  JSON.stringify({ models, said: reply.choices[0].message.content, streamed, usage, text: completion.choices[0].text, refused }),
);
