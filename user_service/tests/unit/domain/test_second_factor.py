"""The second factor: codes of an authenticator and recovery codes."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from user_service.domain.second_factor import SecondFactor

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECRET = pyotp.random_base32()
TOTP = pyotp.TOTP(SECRET)


def confirmed():
    return SecondFactor.confirm(SECRET, TOTP.at(AT - timedelta(seconds=30)), at=AT)


@pytest.mark.parametrize(("seconds", "accepted"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_code_may_be_one_step_early_or_late(seconds, accepted):
    code = TOTP.at(AT + timedelta(seconds=seconds))
    assert (SecondFactor.confirm(SECRET, code, at=AT) is not None) is accepted


def test_a_code_works_once_and_no_older_one_after_it():
    factor, _ = confirmed()
    used = factor.accept(TOTP.at(AT), at=AT)
    assert used is not None
    assert used.accept(TOTP.at(AT), at=AT) is None
    assert used.accept(TOTP.at(AT - timedelta(seconds=30)), at=AT) is None


def test_the_code_of_the_confirmation_is_used():
    factor, _ = confirmed()
    assert factor.accept(TOTP.at(AT - timedelta(seconds=30)), at=AT) is None


def test_each_recovery_code_works_once_in_any_spelling():
    factor, codes = confirmed()
    assert len(set(codes)) == len(factor.recovery_hashes) == 10
    used = factor.accept(codes[0].upper().replace("-", ""), at=AT)
    assert len(used.recovery_hashes) == 9
    assert used.accept(codes[0], at=AT) is None
    assert used.accept(codes[1], at=AT) is not None


SPELLINGS = [
    "{0}\u2212{1}",
    "{0}.{1}",
    "{0}_{1}",
    "{0}\u00b7{1}",
    "\u201c{0}{1}\u201d",
    "{0} {1}",
    "{0}-{1}",
    " {0}{1} ",
    "{0}\u00a0{1}",
    "{0}\u2011{1}",
    "{0} \u2013 {1}",
    "{0}\t{1}\n",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spaces_hyphens_and_case_do_not_count_in_codes(spelling):
    code = TOTP.at(AT)
    factor, codes = confirmed()
    assert factor.accept(spelling.format(code[:3], code[3:]), at=AT) is not None
    assert factor.accept(spelling.format(codes[0][:5].upper(), codes[0][6:]), at=AT) is not None
    assert SecondFactor.confirm(SECRET, spelling.format(code[:3], code[3:]), at=AT) is not None


def test_full_width_digits_are_digits():
    code = TOTP.at(AT).translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    assert SecondFactor.confirm(SECRET, code, at=AT) is not None


@pytest.mark.parametrize(
    "zero", ["\u0660", "\u06f0", "\u0966", "\u0e50", "\U0001d7ce"]
)  # Arabic, Persian, Devanagari, Thai, bold
def test_digits_of_any_keyboard_are_digits(zero):
    digits = {ord("0") + n: ord(zero) + n for n in range(10)}
    factor, codes = confirmed()
    assert factor.accept(TOTP.at(AT).translate(digits), at=AT) is not None
    assert factor.accept(codes[0].translate(digits), at=AT) is not None


@pytest.mark.parametrize("code", ["", "000", "x" * 20, "\u00b2" * 6, "\u0661" * 5])
def test_other_texts_are_refused(code):
    factor, _ = confirmed()
    assert factor.accept(code, at=AT) is None
