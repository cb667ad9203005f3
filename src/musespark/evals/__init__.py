"""Measurements: accuracy and cost of models, teams and readers.

- `native.py`, `parallel.py`, `report.py`, `card.py`: the native model on its tasks; in processes; tables and plots; its card
- `outside.py`, `outside_sources.py`, `outside_images.py`, `variations.py`: the native model on questions that are not its own
- `recorded.py`, `recording.py`, `recorded_report.py`: rules of a team on recorded answers; the recordings; tables and plots
- `answers.py`, `answer_rules.py`: when rules call two answers the same; our rules and those of other programs
- `answer_pairs.py`, `answer_kinds.py`, `answer_numbers.py`, `answer_pairs.jsonl`: labelled pairs of answers; their generators
- `grounding.py`, `grounding_report.py`: pointing at text and reading it; tables
- `grounding_screens.py`, `grounding_rendering.py`, `grounding_page.js`: labelled screens; their rendering in a browser
- `virtual_time.py`: an event loop without real waiting
"""
