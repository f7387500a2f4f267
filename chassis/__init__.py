"""The frame that all services stand on: mechanics, never meaning.

Environment, logs, health, metrics, errors, tokens, paging, gunicorn. No document, topic name, mail text or URL of a service lives
here; framework code stays in the two adapters `flask` and `drf`. Reliable events are next door, in `messaging`.
"""
