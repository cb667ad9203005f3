"""Agents side by side.

agent_pool.py     `AgentPool` sends agents, collects them, hedges and cancels; `run_agent` runs a single one with its events
stragglers.py     the rules for agents that lag, without I/O
budget_split.py   `TokenAllocator`: how many agents a limited budget pays for, and how much each may write
spawn.py          the tool `spawn_agents`
"""
