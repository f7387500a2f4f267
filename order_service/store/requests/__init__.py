"""Requests to product_service that are sent again until it answers."""
