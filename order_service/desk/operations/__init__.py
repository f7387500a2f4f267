"""Pages about the running shop: overview, services and events."""
