"""The caller of a service: roles, access tokens and revocations."""
