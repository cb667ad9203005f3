"""The commands of `muse`, a file each.

`ask.py`, `ask_options.py` and `ask_run.py`: the command `muse ask`, its options, and a run from its
start to its exit code; `run_files.py`: what it writes. `chat.py`: a conversation. `serve.py`: the
HTTP server. `models.py`, `config.py`, `keys.py`, `store.py`, `calibrate.py`: the commands of these
names. `nano.py`: the group `muse nano`, with `nano_train.py`, `nano_eval.py` and `nano_outside.py`.
`eval.py`: the group `muse eval`, with `eval_answers.py` and `eval_grounding.py`.
"""
