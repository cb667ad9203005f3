"""`muse chat`, a conversation in the terminal.

`conversation.py`: what was said, and an exchange as a stream of events. `commands.py`: lines that a person
types, as questions or as commands such as /model. `attachments.py`: paths of images within a line. These
three know no terminal. `follower.py`: an exchange from its start to its end, stopped by Ctrl-C. `line_input.py`:
lines from a terminal, or from a pipe.
"""
