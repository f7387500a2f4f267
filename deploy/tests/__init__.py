"""Tests of the shop in containers: `make test-deploy`. They need a Docker engine, compose and the public images."""
