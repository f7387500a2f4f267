"""Events and time: the worker process, the handler of each event, the periodic tasks."""
