"""What the containers need beside docker-compose.yaml: overrides of it, and the jobs and commands that they use."""
