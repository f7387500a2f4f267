"""Events on Kafka: envelope, relay, dead letters, the consumer of batches and the clients of Kafka.

Read envelope.py (what an event is), relay.py (out), then consumer/ (in). kafka/ holds the clients of both.
"""
