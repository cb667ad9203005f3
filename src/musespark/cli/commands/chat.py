"""`muse chat`: a conversation in the terminal."""

from __future__ import annotations

CHAT_EXAMPLES = (("muse chat", "x"),)


def chat() -> None:
    """Talk."""
