"""The web server with real clients."""
