"""What is kept between runs and between starts.

`votes.py`: who answered what, with nothing but the standard library. `database.py` and the files beside it: the runs of a
server, its keys and what they spent, through SQLAlchemy (`pip install "musespark[serve]"`); imported only by who serves.
"""

from __future__ import annotations

from musespark.store.votes import Vote, VoteStore, default_votes_path

__all__ = ["Vote", "VoteStore", "default_votes_path"]
