"""Clients of Kafka: producer, topics, and readers of whole topics."""
