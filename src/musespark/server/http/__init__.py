"""HTTP itself, whatever the protocol: requests from outside are bounded and checked, and events are streamed.

body.py               reading and validating a body; `StrictModel`, the base of all bodies
bounded_protocol.py   uvicorn's protocol with limits on request heads
event_stream.py       server-sent events to one client
hosts.py              checks of the headers Host and Origin
methods.py            HEAD and OPTIONS for every page
paths.py              paths with a slash at their end
remote_images.py      images fetched from web addresses
schema.py             answers checked against a client's JSON schema
schema_cost.py        bound of the work of such a check
"""
