"""A run over all matches, as the page between two steps carries it."""

from order_service.desk.bulk_runs import MAX_REFUSALS, Run


def test_a_run_comes_back_as_it_was_sealed_for_its_own_action_only():
    run = Run(upto="01K9", total=3, last="01K1", changed=1, refused=1, refusals=(("01K1", "it is late"),))
    assert Run.unseal(run.seal("make_shipped"), "make_shipped") == run
    assert Run.unseal(run.seal("make_shipped"), "make_cancelled") is None
    assert Run.unseal("made up", "make_shipped") is None


def test_a_step_adds_its_results_and_keeps_a_bounded_list_of_refusals():
    rows = [(number, f"k{number}") for number in range(MAX_REFUSALS + 5, 0, -1)]
    results = [(key, "refused", "no") for _, key in rows]
    run = Run(upto=99, total=99).after(rows, results).after([(0, "k0")], [("k0", "changed", "")])
    assert (run.last, run.done, run.changed, run.refused) == (0, MAX_REFUSALS + 6, 1, MAX_REFUSALS + 5)
    assert (len(run.refusals), run.unlisted) == (MAX_REFUSALS, 5)


def test_a_long_run_fits_into_a_form():
    refusals = tuple((f"{number:026}", "A pending order can't become shipped") for number in range(MAX_REFUSALS))
    assert len(Run(upto="0" * 26, total=10_000, refused=MAX_REFUSALS, refusals=refusals).seal("make_shipped")) < 16_384
