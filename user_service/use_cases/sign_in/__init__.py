"""Sign-in: login, sessions, second factors."""
