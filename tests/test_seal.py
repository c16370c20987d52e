"""A sealed text: no bit of it can be flipped, and no line lost, without a word."""

from __future__ import annotations

import hashlib

import pytest

from sim.seal import HEAD, JSON, Changed, Mark, Unsealed, seal, unseal

NOTICED = (Changed, Unsealed, UnicodeDecodeError)
TEXTS = [
    ('{\n "name": "基准 baseline",\n "value": 0.72\n}\n', JSON),
    ("# format: 2\n# draws: 2\na,b\n0.1,0.2\n0.3,0.4\n", HEAD),
]


@pytest.mark.parametrize(("text", "mark"), TEXTS)
def test_the_second_line_is_the_sum_of_the_others(text: str, mark: Mark) -> None:
    sealed = seal(text, mark)
    lines = sealed.splitlines(keepends=True)
    assert "".join([lines[0], *lines[2:]]) == text
    assert hashlib.sha256(text.encode()).hexdigest() in lines[1]
    assert unseal(sealed, mark) == text


@pytest.mark.parametrize(("text", "mark"), TEXTS)
def test_no_bit_can_be_flipped_and_nothing_be_cut_off(text: str, mark: Mark) -> None:
    sealed = seal(text, mark).encode()
    for place in range(len(sealed)):
        for bit in range(8):
            spoilt = bytearray(sealed)
            spoilt[place] ^= 1 << bit
            with pytest.raises(NOTICED):
                unseal(spoilt.decode(), mark)
        if place < len(sealed) - 1:  # without its last line end it says the same
            with pytest.raises(NOTICED):
                unseal(sealed[:place].decode(), mark)


@pytest.mark.parametrize(("text", "mark"), TEXTS)
def test_how_a_system_ends_lines_does_not_count(text: str, mark: Mark) -> None:
    sealed = seal(text, mark)
    assert unseal("\ufeff" + sealed.replace("\n", "\r\n"), mark) == text
    assert unseal(sealed.removesuffix("\n"), mark) == text


def test_a_text_without_a_checksum_is_told_from_a_changed_one() -> None:
    text, mark = TEXTS[0]
    with pytest.raises(Unsealed, match="has no checksum in its second line"):
        unseal(text, mark)
    with pytest.raises(Changed, match="was changed or cut since it was written"):
        unseal(seal(text, mark).replace("0.72", "0.99"), mark)
    with pytest.raises(Unsealed):
        unseal("", mark)
