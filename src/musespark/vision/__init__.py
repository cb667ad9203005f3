"""Images in reasoning: tools with which an agent zooms, marks, measures, sketches and reads. Every result is an image of the trace.

forms.py         boxes and points in the forms in which models send them
coordinates.py   positions in an image, 0 to 1000 each way, and the transforms between a view and its original
album.py         the images of one agent's conversation, numbered, with the views that its tools made
crop.py          cropping to a box
resize.py        scaling to the size that a model takes
regions.py       regions of a colour and their shapes
tools/           one file a tool
ocr/             text recognition and search in it
video/           videos: decoding, key frames, contact sheet
draw/            marks over an image, and SVG rendering
"""
