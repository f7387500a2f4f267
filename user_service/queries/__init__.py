"""What is read: lists, pages and figures. Nothing is written."""
