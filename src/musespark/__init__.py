"""Muse Spark, open: a question goes in, a team thinks about it, one answer comes out."""
