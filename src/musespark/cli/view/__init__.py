"""Views of runs and trainings.

`board.py`: the state of a run, folded from its events. `groups.py`: groups of equal answers, with letters that
stay. `wording.py`: a run in words. `run_views.py`: three views of a run: live, lines, JSON. `chat_views.py`: three
views of a conversation. `frames.py`: a board as lines of styled text, with `agent_rows.py` (a line an agent),
`cells.py` (text that fits a width) and `image_preview.py` (images as text). `live_screen.py`: the lower end of a
terminal, redrawn in place. `training_progress.py`: the progress of a training.
"""
