"""The frame that all services stand on: mechanics, never meaning.

Environment, logs, health, metrics, errors, tokens, event envelope, Kafka, relay, consumer, paging. No document, topic name,
mail text or URL of a service lives here; framework code stays in the two adapters `flask` and `drf`.
"""
