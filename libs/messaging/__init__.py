"""Events on Kafka: envelope, producer, consumer, relay and dead letters.

Read envelope.py (what an event is), relay.py (out), then group_member.py, batch_consumer.py and batch_thread.py (in).
"""
