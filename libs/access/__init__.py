"""Who calls a service: roles, access tokens and revocations."""
