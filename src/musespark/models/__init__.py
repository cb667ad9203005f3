"""Backends behind one `Model` protocol.

model.py         the protocol, abilities of a model, and the deltas of its stream
registry.py      models and providers by name
capabilities.py  the abilities that a request needs and a model lacks, in one place
estimate.py      estimates of tokens, until a backend reports them
nano.py          the native model
recorded.py      replay of recorded answers
fake.py          a model that plays a script, for tests
local/           language models in this process
providers/       hosted models and servers of one's own
"""
