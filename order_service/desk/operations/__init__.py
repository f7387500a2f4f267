"""Pages about the running shop: the overview, service status and events."""
