"""OpenAI's Responses.

body.py               the request body, field by field
dialect.py            the body becomes a parsed request; events add up to a response
events.py             pieces of a reply become events
stored_responses.py   routes of stored responses: read, input items, delete
items.py              items of a request's input as messages
stored_items.py       items of stored responses under their ids; summaries of conversations
references.py         references to stored items, and what they stand for
compaction.py         a conversation becomes its summary
count_input.py        route that counts input tokens
"""
