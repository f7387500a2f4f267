"""Customers of a running shop: a journey to look at, and a load. They use the shop by HTTP, and read its mails and events."""
