"""The fixtures that every test may use: the real servers and the whole shop."""

pytest_plugins = ["tests.stack", "tests.smtp_sink"]
