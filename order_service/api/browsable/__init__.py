"""The browsable API: the responses of the JSON API as pages."""
