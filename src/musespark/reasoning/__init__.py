"""Agents and teams: a question becomes an answer. Imports go down this list, never up; a contract in `pyproject.toml` checks that.

calibration.py   the search for the strategy that helps a model on one kind of question
modes.py         the entry: instant and thinking run one agent, contemplating a team
team/            the team as a value, and its stages: explore, clarify, refine, aggregate
parallel/        agents side by side: pool, stragglers, split of a limited budget, sub-agents
agent/           one agent: its task, its calls, its tools
context.py       the context of one run: events, usage, budget, outcome
usage_node.py    the tree of usage; progress.py, signs of life of one agent
consensus/       groups of equal answers, the stopping rule, votes, reliability, equivalences, answer formats
attempt.py       the result of one agent
call_policy.py   patience with models: retries, pauses, silence
concurrency.py   groups of tasks, and waiting that survives a cancellation
"""
