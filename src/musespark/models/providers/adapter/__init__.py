"""Adapter between the `Model` protocol and pydantic-ai's model layer (`pydantic_ai.direct`, without its agents).

    remote.py            `RemoteModel`: a provider's model behind the `Model` protocol
    conversation.py      messages in both directions, with the state that a provider attaches
    request.py           options, tools and schema of a request; what the provider cannot do is refused
    reply.py             a provider's stream as deltas, and its usage
    token_counts.py      counts of tokens as backends report them
    failures.py          errors of the libraries as ours
    connections.py       HTTP clients, one set per model and event loop
    chat_fastpath.py     Chat Completions without pydantic-ai, for requests of plain text
    response_builder.py  the parts of a reply on the fast path

The libraries are imported when the first model is made.
"""
