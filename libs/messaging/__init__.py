"""Events on Kafka: envelope, producer, consumer, relay and dead letters.

Read envelope.py (what an event is), relay.py (out), then consumer.py and handler_pool.py (in).
"""
