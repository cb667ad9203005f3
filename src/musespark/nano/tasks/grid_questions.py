"""Wording of questions about frozen lakes and mazes: all ask for a shortest path from start to goal, and nothing else."""

from __future__ import annotations

import re

from musespark.nano.tasks.wording import Phrasings, normalise, unread_reason

LAKE_QUESTIONS = (
    "Find a safe shortest path from the start to the goal on this frozen lake.",
    "Find a safe shortest path over the frozen lake. Answer with U, D, L, R.",
    "Which moves cross this frozen lake safely?",
    "How do I get to the goal without falling into a hole?",
    "Cross the ice from start to goal and avoid the holes. Give the moves.",
    "What is the shortest safe way across the lake in the picture?",
    "The lake is frozen, but it has holes. Which moves lead to the goal?",
    "Plan the fewest steps over the ice so that nobody falls in.",
    "Guide the player over the frozen lake: give a string of U, D, L and R.",
    "Solve this FrozenLake map with as few moves as possible.",
    "Look at this frozen lake. What sequence of moves reaches the goal?",
    "Walk from the start to the goal, never step into a hole. Shortest route?",
    "Get me safely across this ice, please. Letters U D L R.",
    "Give the shortest list of directions to reach the goal on this icy lake.",
    "I am standing on a frozen lake. How do I walk to the goal safely?",
    "Here is a FrozenLake board. Which actions bring the agent to the goal?",
)
"""Phrasings used in training."""
_OTHER_LAKE_QUESTIONS = (
    "Find a safe shortest way across the frozen lake to the goal", "Find a shortest safe way across the frozen lake",
    "Find a safe way across the lake", "Find the shortest safe way from the start to the goal",
    "Find a safe shortest way from the start to the goal", "Find a safe shortest path to the goal",
    "What is the shortest safe way to the goal", "Which moves lead safely to the goal",
    "Find the shortest safe path from the start to the goal", "Find a safe path from the start to the goal",
    "What is the shortest safe path from the start to the goal", "How do I get safely from the start to the goal",
    "Solve this frozen lake", "How do I cross this frozen lake", "How do I cross the lake safely",
    "Get to the goal without falling in",
)  # fmt: skip
MAZE_QUESTIONS = (
    "Find the way through the maze from the green dot to the red dot.",
    "Which moves solve this maze?",
    "Solve the maze in the picture. Answer with U, D, L, R.",
    "How do I get from the green dot to the red one?",
    "What is the path from green to red in this labyrinth?",
    "Start at the green dot and reach the red dot. Which directions do I take?",
    "Give the sequence of moves (U, D, L, R) through the maze.",
    "Guide me out of this maze: from green to red, without crossing walls.",
    "Look at the maze. What is the shortest route from start to goal?",
    "Navigate this labyrinth, please. Letters for up, down, left and right.",
    "List the steps that lead through the maze to the red dot.",
    "I am the green dot in a maze. How do I walk to the red dot?",
    "Here is a maze. Tell me the turns to make, one letter a cell.",
    "Trace a path between the walls from the start to the goal.",
    "Can you solve this maze? Write the moves as a string like RRDU.",
    "Which way leads through the walls to the red mark?",
)
"""Phrasings used in training."""
_OTHER_MAZE_QUESTIONS = (
    "Solve this maze", "Solve the maze", "Find the way through this maze", "Find the way through the maze",
    "Find a way through this maze", "Find the shortest way through the maze", "Find the shortest path through this maze",
    "How do I get from start to finish", "Find the path from the green dot to the red dot",
    "Find the shortest path from the green dot to the red dot", "How do I get from the green dot to the red dot",
    "Find the way from green to red", "Which way leads from green to red", "Find the path from start to goal",
    "How do I get from the start to the goal",
)  # fmt: skip
# Outside a phrasing these words may ask for another path: into a hole, backwards, the number of steps.
_MEANINGFUL_FOR_LAKES = (
    "avoid", "fall", "falling", "falls", "fewest", "few", "hole", "holes", "into", "never", "nobody", "shortest", "step", "steps",
    "without", "list", "string", "sequence",
)  # fmt: skip
_MEANINGFUL_FOR_MAZES = (
    "crossing", "cell", "finish", "letter", "letters", "like", "list", "out", "rrdu", "sequence", "shortest", "steps", "string",
    "turns", "walls", "without", "write",
)  # fmt: skip
LAKE_PHRASINGS = Phrasings(
    (*LAKE_QUESTIONS, *_OTHER_LAKE_QUESTIONS), meaningful=_MEANINGFUL_FOR_LAKES
)
MAZE_PHRASINGS = Phrasings(
    (*MAZE_QUESTIONS, *_OTHER_MAZE_QUESTIONS), meaningful=_MEANINGFUL_FOR_MAZES
)
_BACKWARDS = re.compile(
    r"from (the )?(goal|exit|end|finish|red)\b|\bto (the )?(start|green)\b"
    r"|(start|begin)\w* (at|from|on|in) (the )?(goal|red)\b|red\b.* (to|reach) .*green\b"
)


def asks_for_shortest(question: str) -> bool:
    """Return True if a question says that the path must be a shortest one."""
    return re.search(r"shortest|fewest|as few", normalise(question)) is not None


def reason_unread(phrasings: Phrasings, question: str) -> str | None:
    """Return the reason to abstain from a question about a map, as a clause; None if it is at most phrased unusually."""
    if phrasings.read(question) is not None:
        return None
    text = normalise(question)
    if _BACKWARDS.search(text):
        return "it asks for a way that does not lead from the start to the goal"
    if words := phrasings.unknown_words(text):
        return unread_reason(words)
    if re.search(r"[0-9]", text):
        return "it has numbers in it, which may be a condition that I do not know"
    return None
