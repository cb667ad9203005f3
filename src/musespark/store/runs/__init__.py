"""Runs and their events.

run_store.py      a store of runs in a database
reading.py        runs read from it
record.py         a run as it is stored
listing.py        the newest runs, with as much of each as a list shows
conversation.py   a conversation as JSON and back
retention.py      the policy by which old runs are deleted
servers.py        the servers that share a database, and the runs of those that died
monitor.py        the watch over the database
"""
