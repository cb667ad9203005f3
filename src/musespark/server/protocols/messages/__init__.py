"""Anthropic's Messages.

body.py           the request body, field by field
dialect.py        the body (`tool_result` blocks too) becomes a parsed request; events add up to a message
events.py         pieces of a reply become events; errors
count_tokens.py   route that estimates a request's tokens
"""
