"""Tests of the whole: journeys, contracts, architecture, the local stack. Each service keeps its own tests beside it."""
