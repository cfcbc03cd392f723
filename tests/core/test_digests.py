import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import digests
from core.canonical import canonical_json
from core.digests import default_algorithm, digest_bytes, digest_json


@pytest.fixture
def fresh_choice():
    default_algorithm.cache_clear()
    yield
    default_algorithm.cache_clear()


def test_known_sha256():
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_bytes(b"abc", "sha256") == known


def test_known_sm3():
    known = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert digest_bytes(b"abc", "sm3") == known


@pytest.mark.parametrize(("available", "chosen"), [({"sm3", "sha256"}, "sm3"), ({"sha256"}, "sha256")])
def test_sm3_is_chosen_where_there_is_one(monkeypatch, fresh_choice, available, chosen):
    monkeypatch.setattr(digests.hashlib, "algorithms_available", available)
    assert default_algorithm() == chosen


def test_setting_overrides_the_choice(settings, fresh_choice):
    settings.DIGEST_ALGORITHM = "sha512"
    assert default_algorithm() == "sha512"


def test_algorithm_this_machine_lacks_is_an_error():
    with pytest.raises(ValueError, match="sm9"):
        digest_bytes(b"abc", "sm9")


def test_same_value_has_one_spelling():
    assert canonical_json({"b": [1, "一"], "a": None}) == '{"a":null,"b":[1,"一"]}'.encode()
    assert digest_json({"a": 1, "b": 2}) == digest_json({"b": 2, "a": 1})


@pytest.mark.parametrize("value", [1.0, [1.5], {"a": {"b": (0.1,)}}, float("nan")])
def test_floats_are_refused_at_any_depth(value):
    with pytest.raises(TypeError, match="floats"):
        canonical_json(value)


LETTERS = 'ab一“\\"\n'
plain = st.none() | st.booleans() | st.integers() | st.text(LETTERS, max_size=5)
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(LETTERS, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(values)
def test_value_survives_its_spelling_whatever_it_is(value):
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(LETTERS, max_size=3), values, max_size=4))
def test_order_of_keys_never_changes_the_digest(value):
    assert digest_json(dict(reversed(value.items()))) == digest_json(value)
