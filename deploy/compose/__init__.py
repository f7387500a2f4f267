"""The overrides of docker-compose.yaml, and the jobs and commands that they use."""
