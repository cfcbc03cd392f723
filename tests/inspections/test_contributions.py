import threading
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection
from django.utils import timezone

from core.errors import DomainError
from departments.models import Notification
from inspections.draws.publication import verify
from inspections.draws.seeds import PORTAL, seed_of
from inspections.enums import DrawState, Event, InspectionState
from inspections.models import Draw, DrawContribution
from inspections.services import contributions
from inspections.services.draw import draw
from inspections.services.launch import cancel
from inspections.services.publication import document
from ledger.services import entries_of
from tests.factories.departments import make_department, make_user
from tests.factories.inspections import clerk_of, make_inspection
from tests.factories.institutions import make_institution

pytestmark = pytest.mark.django_db

SECRETS = {"minzheng": "m" * 32, "xiaofang": "x" * 32, "shichang": "s" * 32}


@pytest.fixture
def inspection():
    return make_inspection(
        InspectionState.TICKING_CLOSED, institutions=[make_institution() for _ in range(4)], ticked=True
    )


@pytest.fixture
def lead(inspection):
    return clerk_of(inspection.lead_department)


@pytest.fixture
def frozen(inspection, lead):
    return contributions.open_contributions(inspection, actor=lead)


def commit(frozen, code):
    department = make_department(code)
    made = contributions.commitment_of(frozen, department, SECRETS[code])
    return contributions.commit(frozen, department, commitment=made, actor=clerk_of(department))


def reveal(frozen, code, secret=None):
    department = make_department(code)
    return contributions.reveal(
        frozen, department, secret=secret or SECRETS[code], actor=clerk_of(department)
    )


def after(field, frozen):
    """A moment after the deadline."""
    frozen.refresh_from_db()
    return getattr(frozen, field) + timedelta(seconds=1)


def test_the_last_secret_makes_the_draw(inspection, frozen, lead):
    commit(frozen, "xiaofang")
    commit(frozen, "minzheng")
    contributions.close_commitments(frozen, actor=lead)
    assert reveal(frozen, "minzheng").state == DrawState.REVEALING
    made = reveal(frozen, "xiaofang")
    assert (made.state, made.drawn.count()) == (DrawState.DRAWN, 4)
    revealed = {"minzheng": "m" * 32, "xiaofang": "x" * 32, PORTAL: made.portal_secret}
    assert made.seed == seed_of(made.roster_digest, made.rule_digest, revealed)
    assert [check.what for check in verify(document(made)) if not check.agrees] == []
    kinds = [entry.kind for entry in entries_of(inspection.subject)][-7:]
    assert kinds == [
        Event.ROSTER_FROZEN,
        Event.DRAW_COMMITTED,
        Event.DRAW_COMMITTED,
        Event.DRAW_REVEALING,
        Event.DRAW_REVEALED,
        Event.DRAW_REVEALED,
        Event.DRAWN,
    ]


def test_participants_and_lead_are_asked(inspection, frozen):
    told = Notification.objects.filter(subject=frozen.subject).values_list(
        "recipient__posts__department__code", flat=True
    )
    taking_part = set(inspection.participations.values_list("department__code", flat=True))
    assert set(told) <= taking_part | {"minzheng"}
    assert set(contributions.contributors(frozen).values_list("code", flat=True)) == taking_part


def test_until_the_last_secret_the_portals_is_not_published(frozen, lead):
    commit(frozen, "xiaofang")
    contributions.close_commitments(frozen, actor=lead)
    published = document(Draw.objects.get(pk=frozen.pk))
    assert [given["secret"] for given in published["contributions"]] == ["", ""]
    assert [check.agrees for check in verify(published)] == [True] * 4


def test_the_secret_never_stands_in_the_ledger(inspection, frozen, lead):
    commit(frozen, "xiaofang")
    contributions.close_commitments(frozen, actor=lead)
    made = reveal(frozen, "xiaofang")
    payloads = str([entry.payload for entry in entries_of(inspection.subject)])
    assert SECRETS["xiaofang"] not in payloads
    assert made.portal_secret not in payloads


def test_without_commitments_closing_draws_at_once(frozen, lead):
    made = contributions.close_commitments(frozen, actor=lead)
    assert (made.state, made.drawn.count()) == (DrawState.DRAWN, 4)


def test_a_secret_that_does_not_fit_its_commitment_is_refused(frozen, lead):
    commit(frozen, "xiaofang")
    contributions.close_commitments(frozen, actor=lead)
    for wrong in ("y" * 32, "x" * 31, "", "短"):
        with pytest.raises(DomainError, match="与贵部门提交的承诺不符"):
            contributions.reveal(
                frozen,
                make_department("xiaofang"),
                secret=wrong,
                actor=clerk_of(make_department("xiaofang")),
            )


def test_anothers_commitment_cannot_be_copied(frozen, lead):
    copied = commit(frozen, "xiaofang").commitment
    minzheng = make_department("minzheng")
    contributions.commit(frozen, minzheng, commitment=copied, actor=lead)
    contributions.close_commitments(frozen, actor=lead)
    reveal(frozen, "xiaofang")
    with pytest.raises(DomainError, match="不符"):
        reveal(frozen, "minzheng", SECRETS["xiaofang"])


@pytest.mark.parametrize("text", ["", "abc", "z" * 64, "a" * 63])
def test_what_is_no_digest_is_no_commitment(frozen, text):
    xiaofang = make_department("xiaofang")
    with pytest.raises(DomainError) as refusal:
        contributions.commit(frozen, xiaofang, commitment=text, actor=clerk_of(xiaofang))
    assert list(refusal.value.fields) == ["commitment"]


def test_a_commitment_cannot_be_changed(frozen):
    commit(frozen, "xiaofang")
    with pytest.raises(DomainError, match="不能更换"):
        commit(frozen, "xiaofang")


def test_a_secret_is_revealed_once(frozen, lead):
    commit(frozen, "xiaofang")
    commit(frozen, "minzheng")
    contributions.close_commitments(frozen, actor=lead)
    reveal(frozen, "xiaofang")
    with pytest.raises(DomainError, match="已公开"):
        reveal(frozen, "xiaofang")


def test_who_did_not_commit_has_nothing_to_reveal(frozen, lead):
    commit(frozen, "xiaofang")
    contributions.close_commitments(frozen, actor=lead)
    with pytest.raises(DomainError, match="没有提交承诺"):
        reveal(frozen, "minzheng")


def test_nobody_reveals_while_others_may_still_commit(frozen):
    commit(frozen, "xiaofang")
    with pytest.raises(DomainError, match="不在公开秘密数"):
        reveal(frozen, "xiaofang")


def test_nobody_commits_once_secrets_come_out(frozen, lead):
    commit(frozen, "xiaofang")
    contributions.close_commitments(frozen, actor=lead)
    with pytest.raises(DomainError, match="不在征集秘密数"):
        commit(frozen, "minzheng")


def test_after_the_deadline_nobody_commits(frozen):
    Draw.objects.update(commit_by=timezone.now())
    with pytest.raises(DomainError, match=r"已于 .* 截止"):
        commit(frozen, "xiaofang")


def test_while_secrets_are_collected_nobody_draws(inspection, frozen, lead):
    with pytest.raises(DomainError, match="正在征集或公开秘密数"):
        draw(inspection, actor=lead)


def test_a_bureau_that_takes_no_part_gives_no_secret(frozen):
    outsider = make_department("renshe")
    with pytest.raises(PermissionDenied):
        contributions.commit(frozen, outsider, commitment="a" * 64, actor=make_user(outsider))


def test_a_clerk_speaks_for_the_own_department_only(frozen):
    with pytest.raises(PermissionDenied):
        contributions.commit(
            frozen,
            make_department("minzheng"),
            commitment="a" * 64,
            actor=clerk_of(make_department("xiaofang")),
        )


def test_a_participant_does_not_close(frozen):
    with pytest.raises(PermissionDenied):
        contributions.close_commitments(frozen, actor=clerk_of(make_department("xiaofang")))


# --- Deadlines ------------------------------------------------------------------------------------


def test_nothing_is_due_before_its_time(frozen):
    assert contributions.advance_due() == 0


def test_the_deadline_closes_commitments_and_then_draws_without_any(frozen):
    assert contributions.advance_due(after("commit_by", frozen)) == 1
    frozen.refresh_from_db()
    assert frozen.state == DrawState.DRAWN
    assert contributions.advance_due(timezone.now() + timedelta(days=9)) == 0


def test_whoever_withholds_is_named_and_the_draw_is_void(inspection, frozen, lead):
    commit(frozen, "xiaofang")
    commit(frozen, "minzheng")
    contributions.close_commitments(frozen, actor=lead)
    reveal(frozen, "minzheng")
    assert contributions.advance_due(after("reveal_by", frozen)) == 1
    frozen.refresh_from_db()
    assert (frozen.state, frozen.seed, frozen.drawn.count()) == (DrawState.VOID, "", 0)
    assert frozen.ended_reason == "市消防救援大队提交承诺后逾期未公开秘密数。"
    entry = entries_of(inspection.subject).last()
    assert (entry.kind, entry.payload) == (
        Event.DRAW_VOIDED,
        {"draw": frozen.pk, "withheld": ["xiaofang"]},
    )
    # The portal's secret stays unknown, so that nobody learns what withholding prevented.
    assert document(frozen)["contributions"][-1]["secret"] == ""


def test_the_next_draw_does_without_whoever_withheld(inspection, frozen, lead):
    commit(frozen, "xiaofang")
    contributions.close_commitments(frozen, actor=lead)
    contributions.advance_due(after("reveal_by", frozen))
    again = contributions.open_contributions(inspection, actor=lead)
    assert again.number == 2
    assert "xiaofang" not in contributions.contributors(again).values_list("code", flat=True)
    with pytest.raises(DomainError, match="不再采用贵部门的秘密数"):
        commit(again, "xiaofang")
    commit(again, "minzheng")


def test_a_cancelled_inspection_ends_its_draw(inspection, frozen, lead):
    cancel(inspection, reason="计划调整", actor=lead)
    assert contributions.advance_due() == 1
    frozen.refresh_from_db()
    assert (frozen.state, frozen.ended_reason) == (DrawState.VOID, "联合检查已取消。")


def test_the_database_keeps_one_draw_standing(frozen):
    with pytest.raises(IntegrityError):
        Draw.objects.create(
            joint_inspection=frozen.joint_inspection,
            number=2,
            algorithm="x",
            rule={},
            roster_size=1,
            roster_digest="x",
            digest_algorithm="sha256",
            size=1,
            frozen_by=frozen.frozen_by,
        )


# --- At the same moment ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_last_secrets_at_once_make_one_draw():
    inspection = make_inspection(
        InspectionState.TICKING_CLOSED, institutions=[make_institution() for _ in range(3)], ticked=True
    )
    lead = clerk_of(inspection.lead_department)
    frozen = contributions.open_contributions(inspection, actor=lead)
    codes = ["minzheng", "xiaofang"]
    for code in codes:
        commit(frozen, code)
    contributions.close_commitments(frozen, actor=lead)
    start = threading.Barrier(len(codes))

    def run(code):
        try:
            start.wait(10)
            reveal(frozen, code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[code]) for code in codes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    frozen.refresh_from_db()
    assert (frozen.state, frozen.drawn.count()) == (DrawState.DRAWN, 3)
    assert DrawContribution.objects.exclude(secret="").count() == 2
    kinds = [entry.kind for entry in entries_of(inspection.subject)]
    assert kinds.count(Event.DRAWN) == 1
