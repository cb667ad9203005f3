"""OpenAI's Completions, for old programs: a text goes in, and the text that follows comes out.

body.py      the request body, field by field
dialect.py   the body becomes a parsed request; chunks add up to a completion
events.py    pieces of a reply become chunks
"""
