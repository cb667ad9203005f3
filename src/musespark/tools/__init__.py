"""Tools: abilities of an agent besides writing.

tool.py       the protocols of a tool and of a toolset, and the output of a call
registry.py   one table of all tools, those of `musespark.vision` included; a tool's file is imported when it is first used
arguments.py  arguments in the forms in which models send them
code_argument.py  the Python snippet among them
python.py     the tool `python`: calculations in a sandbox
"""
