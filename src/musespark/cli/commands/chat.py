"""`muse chat`: a conversation in the terminal."""

from __future__ import annotations

from typing import Any

CHAT_EXAMPLES = (("muse chat", "x"),)


def chat() -> None:
    """Talk."""
