"""Adapter between the `Model` protocol and pydantic-ai's model layer (`pydantic_ai.direct`, without its agents).

    remote.py            `RemoteModel`: a provider's model behind the `Model` protocol
    conversation.py      messages in both directions, with the state that a provider attaches
    request.py           options, tools and schema of a request; what the provider cannot do is refused
    sampling.py          further sampling options as fields and settings
    reply.py             a provider's stream as deltas, and its usage
    token_counts.py      counts of tokens as backends report them
    failures.py          errors of the libraries as ours
    rejections.py        failures as they are told to others
    addresses.py         addresses taken out of errors that strangers read
    connections.py       HTTP clients, one set per model and event loop
    embeddings.py        embeddings of texts, passed on
    chat_fastpath.py     Chat Completions without pydantic-ai, for requests of plain text
    response_builder.py  the parts of a reply on the fast path

Replies of servers of one's own, which depart from the standards:

    event_reader.py      the chunks in a body: events, or one JSON document
    chat_chunks.py       chunks of Chat Completions in the form of the standard
    tool_call_joiner.py  pieces of tool calls, joined
    tool_calls.py        names and arguments of calls that are almost right
    written_calls.py     calls that stand within the text
    thoughts.py          thoughts that stand within the text
    chat_model.py        pydantic-ai's model of Chat Completions, adapted
    message_events.py    a whole reply of Anthropic's Messages as events
    transport.py         the transport below the SDKs, which normalizes replies
    redirects.py         redirects, within one server only
    environment.py       proxies and certificates that the environment names

The libraries are imported when the first model is made.
"""
