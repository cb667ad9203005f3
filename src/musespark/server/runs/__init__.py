"""Runs: in progress, watched, stored and exported.

session.py      one run: its events, its budget, where it is stored
response.py     the response to a protocol's request: a session, encoded
background.py   sessions that the page starts, without a connection
run_store.py    the protocol of a store, and one in memory
live_runs.py    watching runs while they are in progress
routes.py       /v1/runs: start, list, read, watch, stop, delete, export
summary.py      a run without its events, as lists show it
export.py       a run as one HTML file
images.py       responses with an image
"""
