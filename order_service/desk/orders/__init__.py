"""The pages about orders: list, one order, filters and exports."""
