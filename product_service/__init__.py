"""The catalogue: products, their prices and their stock.

Owns: products, stock_movements, reservations (MongoDB). Publishes: product-created, product-updated, product-deleted,
stock-reserved, stock-rejected. Consumes: order-placed, order-cancelled, user-revocations.
"""

__version__ = "0.1.0"
