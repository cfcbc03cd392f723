import hashlib

from inspections.draws.seeds import PORTAL, commitment, new_secret, seed_of


def test_a_commitment_is_bound_to_roster_and_party():
    assert commitment("r", "xiaofang", "s") == hashlib.sha256(b"r\nxiaofang\ns").hexdigest()
    assert len({commitment("r", "a", "s"), commitment("r", "b", "s"), commitment("q", "a", "s")}) == 3


def test_the_seed_takes_the_parties_in_order_and_the_portal_last():
    revealed = {PORTAL: "p", "xiaofang": "x", "minzheng": "m"}
    expected = hashlib.sha256(b"roster\nrule\nminzheng\nm\nxiaofang\nx\n@portal\np").hexdigest()
    assert seed_of("roster", "rule", revealed) == expected


def test_any_other_secret_makes_another_seed():
    seeds = {seed_of("r", "u", {"a": secret, PORTAL: "p"}) for secret in ("1", "2", "3")}
    assert len(seeds) == 3


def test_no_two_secrets_are_alike():
    assert len({new_secret() for _ in range(100)}) == 100
