"""From a parsed request to its solver: the model or team that answers, with options and limits.

parsed_request.py   a request of any protocol, parsed
options.py          options of runs and teams (the field `muse`)
resolve.py          name, effort and options become a model or a team
fitting.py          efforts and sampling options, fitted to the models
key_scope.py        models and modes that a key may ask
model_catalog.py    models by name, with their connections
stop_limits.py      stop texts and answer length for native models
"""
