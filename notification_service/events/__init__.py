"""The events that the service publishes and consumes, its topics and its consumer group."""
