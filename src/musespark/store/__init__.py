"""Data stored between runs and between starts.

`votes.py`: votes and strategies, with the standard library alone. `json_text.py`: JSON as it is stored and sent. The rest needs
SQLAlchemy (`pip install "musespark[serve]"`) and is imported by servers only: `database/`, `runs/` and `keys/`, each with a map of
its own.
"""

from __future__ import annotations

from musespark.store.votes import Vote, VoteStore, default_votes_path

__all__ = ["Vote", "VoteStore", "default_votes_path"]
