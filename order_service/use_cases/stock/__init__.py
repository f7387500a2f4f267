"""What product_service holds for orders: requested, compared, released."""
