"""A process: configuration, logs, health, metrics, commands and threads."""
