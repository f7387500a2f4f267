"""What a running shop does: its logs, the story of an order, Kafka's topics, and servers for traces, metrics and alerts."""
