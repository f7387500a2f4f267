"""Events and time: the worker process, the handlers of events, the periodic tasks."""
