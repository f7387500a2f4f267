"""Staff sign in with their account of user_service."""
