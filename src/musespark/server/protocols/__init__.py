"""The protocols. Each parses a body and encodes a reply, without I/O.

base.py         `Dialect` and `ChunkEncoder`, which each protocol implements
encoder.py      events of a run as pieces of a reply, the same for all
progress.py     lines of progress, before the answer
json_gate.py    JSON that streams, without text around it
sampling.py     sampling options of bodies
tools.py        tools in every form as functions, and calls back in that form
warnings.py     fields without effect, told in a header and in the log
breakdown.py    the `muse` block: cost by agent and stage
signatures.py   providers' signatures, packed for clients to send back
chat/           OpenAI's Chat Completions
responses/      OpenAI's Responses
messages/       Anthropic's Messages
completions/    OpenAI's Completions, for old programs
"""
