"""One agent: it calls its model, uses tools, and calls again, until it answers.

task.py           `AgentTask`: model, conversation, tools and answer format
agent.py          `run_task`: the loop, which ends in an `Attempt`
model_call.py     one call of a model within budget and deadline, with retries
reply.py          `ModelReply`: the outcome of a call
loop_guard.py     empty replies, unknown tools and repeated calls: one reminder each, then the end
deltas.py         deltas of a call become events, or a typed error
form.py           JSON without the text around it, asked for once more where there is none
conclude.py       the request for an answer without further thought
vision_tools.py   one agent's album of images, and the tools that look at them
"""
