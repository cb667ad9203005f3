"""Models that live elsewhere: hosted ones, and servers of one's own. One small file per kind of provider.

    provider.py      what a kind of provider is: its data, and how a client of it is made
    remote.py        `RemoteModel`: any of them behind the `Model` protocol
    conversation.py  messages on their way out and back, with whose signatures are whose
    request.py       everything else of a request, and what is refused before anything is sent
    reply.py         a provider's stream as deltas
    failures.py      whatever goes wrong as one of our errors
    connections.py   one HTTP client per event loop, closed with the last stream that uses it
    prices.py        what a token costs

Everything here goes through pydantic-ai's model layer (`pydantic_ai.direct`, no agent), which is imported when the first
model is made.
"""
