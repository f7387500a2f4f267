"""The threads that serve requests."""

import threading
import time
from queue import SimpleQueue

from libs.web.serving.request_threads import RequestThreads

SECONDS = 10


def names():
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("request-")}


def test_a_thread_is_started_when_all_others_are_busy_and_no_more_than_allowed():
    before, begun, ended, go = names(), SimpleQueue(), SimpleQueue(), threading.Semaphore(0)

    def serve(work):
        begun.put((work, threading.current_thread()))
        go.acquire()
        ended.put(work)

    threads = RequestThreads(2, serve)
    assert names() == before
    found = {}
    for work in range(3):  # the third one waits for one of the two threads
        threads.submit(work)
    for _ in range(2):
        work, thread = begun.get(timeout=SECONDS)
        found[work] = thread
    assert begun.empty()
    assert len(set(found.values())) == 2
    go.release()
    assert ended.get(timeout=SECONDS) in found
    work, thread = begun.get(timeout=SECONDS)
    assert (work, thread in found.values()) == (2, True)
    go.release(2)
    assert {ended.get(timeout=SECONDS) for _ in range(2)} | set(found) == {0, 1, 2}
    threads.shutdown()
    for thread in found.values():
        thread.join(SECONDS)
        assert not thread.is_alive()


def test_a_thread_that_waits_serves_again():
    served = SimpleQueue()
    threads = RequestThreads(8, lambda work: served.put(threading.current_thread()))
    threads.submit(1)
    first = served.get(timeout=SECONDS)
    end = time.monotonic() + SECONDS
    while not threads._waiting:
        assert time.monotonic() < end, "the thread does not wait again"
    threads.submit(2)
    assert served.get(timeout=SECONDS) is first
    threads.shutdown()
    first.join(SECONDS)
    assert not first.is_alive()


def test_what_was_submitted_before_the_end_is_served():
    served = SimpleQueue()
    threads = RequestThreads(1, served.put)
    for work in range(100):
        threads.submit(work)
    threads.shutdown()
    assert [served.get(timeout=SECONDS) for _ in range(100)] == list(range(100))
