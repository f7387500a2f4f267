"""The browsable API: the same answers as pages for staff."""
