"""A process: configuration, logs, health, metrics, commands, threads, periodic tasks, outgoing HTTP."""
