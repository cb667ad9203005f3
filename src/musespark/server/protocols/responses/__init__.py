"""OpenAI's Responses.

body.py               the request body, field by field
dialect.py            the body becomes a parsed request; events add up to a response
items.py              items of the input become messages
events.py             pieces of a reply become events
stored_responses.py   routes that read and delete stored responses
"""
