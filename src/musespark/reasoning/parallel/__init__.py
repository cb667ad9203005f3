"""Agents side by side.

run_agent.py      a single agent with its events
agent_pool.py     `AgentPool` sends agents, collects them, hedges and cancels
pool_watch.py     the agents of a pool observed: which of them lag, and when the pool has to act
stragglers.py     the rules for agents that lag, without I/O
budget_split.py   `TokenAllocator`: how many agents a limited budget pays for, and how much each may write
spawn.py          the tool `spawn_agents`
"""
