"""Measurements: what a model can do, and what it costs, side by side."""
