"""OpenAI's Chat Completions.

body.py      the request body, field by field
dialect.py   the body becomes a parsed request; chunks add up to a completion
events.py    pieces of a reply become chunks; errors
"""
