"""A member of a consumer group that hands its handlers batches of events.

Read group_member.py (assignment and offsets), batch_consumer.py (wiring), then batch_thread.py (one batch after the other).
"""
