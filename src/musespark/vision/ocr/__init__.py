"""Text recognition.

reader.py     lines of text with their boxes, by RapidOCR
strips.py     images many times as wide as high, cut into pieces
matching.py   fuzzy search for a text among the lines
"""
