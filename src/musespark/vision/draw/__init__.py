"""Drawing: marks over an image, and SVG rendered to pixels.

marks.py            boxes, points, paths and labels over an image
sanitize.py         SVG from a model, parsed and written anew with safe elements only
render.py           a sanitised drawing rendered by a process of its own, composed on white or over an image
render_process.py   that process: resvg within limits of time and memory
"""
