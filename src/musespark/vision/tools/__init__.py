"""The vision tools, one file a tool. `musespark.tools.registry` has them by name, and imports a file when its tool is first used.

vision_tool.py   the base class: which image is meant, shared parameters, how a call ends
zoom.py          a region of an image, larger
rotate.py        an image rotated or mirrored
enhance.py       contrast, brightness, sharpness, threshold
measure.py       distances, angles and areas
mark.py          boxes, points and paths drawn on an image
compare.py       two images side by side, or their differences
sketch.py        an SVG drawing, alone or over an image
read.py          the text of an image
find.py          the boxes of a text, a colour or a shape
watch.py         frames of a video, in full size
"""
