"""The three protocols. Each parses a body and encodes a reply, without I/O.

base.py         `Dialect` and `ChunkEncoder`, which each protocol implements
encoder.py      events of a run as pieces of a reply, the same for all
progress.py     lines of progress, before the answer
breakdown.py    the `muse` block: cost by agent and stage
signatures.py   providers' signatures, packed for clients to send back
chat/           OpenAI's Chat Completions
responses/      OpenAI's Responses
messages/       Anthropic's Messages
completions/    OpenAI's Completions, for old programs
"""
