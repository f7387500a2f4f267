"""The whole shop on one machine without containers: real servers, the four services, one supervisor.

Read in this order: `state.py` (where everything lies), `servers/` (how each server is started), `services.py` (what each
service is given), `up.py` (the order of things), `supervise.py` and `launch.py` (what keeps it running).
For development: everything listens on loopback only.
"""
