"""The cache of two generations: what it keeps, and how large it gets."""

import sys
import threading

from libs.runtime.generation_cache import GenerationCache


def test_a_value_is_found_until_two_generations_are_full():
    cache = GenerationCache(3)
    cache.put("first", 1)
    for number in range(2):
        cache.put(number, number)
    assert cache.get("first") == 1
    for number in range(2, 5):  # the young generation is the one of these now
        cache.put(number, number)
    cache.put(5, 5)
    assert cache.get("first") is None
    assert cache.get(4) == 4


def test_a_value_that_is_read_survives():
    cache = GenerationCache(3)
    cache.put("read", 1)
    for number in range(100):
        assert cache.get("read") == 1
        cache.put(number, number)
    assert cache.get(0) is None


def test_two_generations_are_the_most_that_it_holds():
    cache = GenerationCache(100, len)
    for number in range(1000):
        cache.put(number, "x" * 10)
    assert len(cache._young) + len(cache._old) == 20


def test_a_value_that_replaces_another_counts_once():
    cache = GenerationCache(100, len)
    cache.put("other", "y" * 50)
    for _ in range(100):
        cache.put("same", "x" * 50)
    assert (cache.get("other"), cache.get("same")) == ("y" * 50, "x" * 50)


def test_a_value_larger_than_a_generation_is_not_kept():
    cache = GenerationCache(10, len)
    cache.put("small", "x")
    cache.put("large", "x" * 11)
    assert cache.get("large") is None
    assert cache.get("small") == "x"


def test_threads_share_it_and_it_stays_within_its_size():
    cache = GenerationCache(50)
    wrong = []

    def work(own):
        for number in range(2000):
            key = (number + own) % 300
            cache.put(key, key)
            if cache.get(key) not in (key, None):
                wrong.append(key)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(own,)) for own in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong
    assert len(cache._young) <= 50
    assert len(cache._old) <= 50
