"""The whole shop on one machine without containers: real servers, the services, one supervisor.

deploy/install installs what it needs. deploy/customers and deploy/observe use a running shop.
Read in this order: `state.py` (the directories), `servers/` (how each server is started), `services.py` (the processes of the
services), `commands/up.py` (the order of a start), `supervision/supervisor.py` and `launch.py` (how a process is restarted).
For development only: every process listens on loopback.
"""
