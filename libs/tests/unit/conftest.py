"""What several unit tests of the shared packages use."""

import pytest

from libs.runtime.telemetry import spans, trace_context


class Recorder(list):
    def record(self, span):
        self.append(span)


@pytest.fixture
def recorded():
    """The spans that end in the test. Afterwards none is recorded, and no trace is sampled."""
    recorder = Recorder()
    spans.set_recorder(recorder)
    yield recorder
    spans.set_recorder(None)
    trace_context.set_sampler(trace_context._never, trusts_clients=False)
