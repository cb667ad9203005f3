"""Steps of the schema, in order.

`v0001_runs.py`: runs, events and images. `v0002_keys.py`: keys and what they spent. `v0003_options.py`: options of a run.
`v0004_reservations.py`: reservations of calls in place of leases. `v0005_stops.py`: runs to be stopped.
`v0006_key_rights.py`: keys that expire, and their models and modes.
"""
