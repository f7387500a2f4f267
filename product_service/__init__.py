"""The catalogue: products, their prices and their stock.

Owns: products, price_history, stock_movements, reservations (MongoDB). Publishes: product-*, stock-reserved, stock-rejected,
stock-released, stock-held. Consumes: order-placed, order-cancelled, order-delivered, stock-release-requested, user-revocations.
Continue with `__main__.py` (commands), `api/app.py` (wiring) and `use_cases/` (all changes, one module each).
"""

__version__ = "0.1.0"
