"""The heart: how a question becomes an answer."""
