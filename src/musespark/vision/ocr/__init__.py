"""Text recognition.

reader.py     lines of text with their boxes, by RapidOCR
matching.py   fuzzy search for a text among the lines
"""
