"""Reliable events: stored with the data they tell of, published until the broker has them, handled until there is a verdict.

Read envelope.py (what an event is), relay.py (out), consumer.py and lanes.py (in), worker.py (the process). It stands on the
chassis and knows no service; docs/adr/0002 says why it is a package of its own.
"""
