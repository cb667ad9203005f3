"""Looking: tools with which an agent sees closer, marks and sketches while it reasons. Every look is a picture of the trace.

    coordinates.py   where something is in a picture: 0 to 1000 each way, and how a view leads back to its original
    album.py         the pictures of one agent's conversation, numbered, with the views that its tools made of them
    look.py          what all the tools have in common
    zoom.py, rotate.py, enhance.py, measure.py, mark.py, compare.py, sketch.py, read.py, find.py   one file a tool
    toolset.py       the tools by name
    fitting.py       pictures as large as a model takes them, and no larger
"""
