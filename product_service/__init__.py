"""The catalogue: products, their prices and their stock.

Owns: products, stock_movements, reservations (MongoDB). Publishes: product-created, product-updated, product-deleted,
stock-reserved, stock-rejected. Consumes: order-placed, order-cancelled, user-revocations.
Read on in app.py (wiring), api/routes.py (what it answers), use_cases.py (what staff do), consumers.py (what comes in),
reservations.py (what orders do).
"""

__version__ = "0.1.0"
