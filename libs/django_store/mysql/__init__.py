"""Django's backend for MySQL, which reports when a thread waits for the server."""
