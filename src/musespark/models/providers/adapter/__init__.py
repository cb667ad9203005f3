"""Adapter between our `Model` protocol and pydantic-ai's model layer (`pydantic_ai.direct`, without its agents).

    remote.py            `RemoteModel`: a provider's model behind the `Model` protocol
    conversation.py      messages in both directions, with the state that a provider signs
    request.py           the rest of a request: settings, tools and schema
    reply.py             a provider's stream as deltas, and what it costs
    failures.py          errors of the libraries as ours
    connections.py       one HTTP client per model and event loop
    chat_fastpath.py     Chat Completions without pydantic-ai, for requests of plain text
    response_builder.py  the parts of a reply on the fast path
    chunk_template.py    chunks that differ in their text alone
    local_http.py        HTTP/1.1 to a server nearby
"""
