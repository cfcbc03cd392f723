import pytest
from django.core.exceptions import PermissionDenied

from core.errors import DomainError
from departments.enums import Role
from inspections.draws.publication import digest, verify
from inspections.draws.rules import SamplingRule, everything, percent
from inspections.draws.seeds import PORTAL, commitment, seed_of
from inspections.draws.selection import select
from inspections.enums import DrawState, Event, InspectionState, ScopeSource, StratifyBy
from inspections.models import Draw
from inspections.services import draw as services
from inspections.services.draw import draw
from inspections.services.publication import document
from institutions.enums import OperatingState
from institutions.services import merge
from ledger.services import entries_of
from tests.factories.departments import make_department, make_user
from tests.factories.institutions import USCCS, make_institution, make_keeper
from tests.factories.merging import make_closed_inspection
from tests.factories.scenarios import make_version

pytestmark = pytest.mark.django_db

BY_CREDIT = SamplingRule(percent(20), StratifyBy.CREDIT_CLASS, {"D": everything()})


def closed(*institutions, **fields):
    return make_closed_inspection(make_version(), institutions, **fields)


def head():
    return make_user(make_department("minzheng"), Role.HEAD)


def test_a_draw_is_kept_with_seed_roster_and_result():
    inspection, clerk = closed(*[make_institution() for _ in range(5)], ratio=50)
    made = draw(inspection, actor=clerk)
    keys = {str(key): pk for key, pk in inspection.candidates.values_list("institution__key", "institution")}
    assert (made.state, made.roster_size, made.size) == (DrawState.DRAWN, 5, 3)
    assert list(made.drawn.values_list("institution", flat=True)) == [
        keys[key] for key in select(dict.fromkeys(keys, ""), made.sampling_rule, made.seed)
    ]
    assert made.roster.content["strata"] == [{"stratum": "", "members": sorted(keys)}]
    assert (made.roster_digest, made.rule_digest) == (digest(made.roster.content), digest(made.rule))


def test_the_trail_has_the_digests_before_the_seed():
    inspection, clerk = closed(make_institution())
    made = draw(inspection, actor=clerk)
    frozen, drawn = entries_of(inspection.subject)
    assert (frozen.kind, frozen.payload) == (
        Event.ROSTER_FROZEN,
        {
            "draw": made.pk,
            "rule_digest": made.rule_digest,
            "roster_digest": made.roster_digest,
            "roster_size": 1,
            "portal_commitment": made.portal_commitment,
        },
    )
    assert (drawn.kind, drawn.payload["seed"], drawn.payload["size"]) == (Event.DRAWN, made.seed, 1)


def test_in_one_click_the_seed_is_the_portals_alone():
    inspection, clerk = closed(make_institution())
    made = draw(inspection, actor=clerk)
    assert made.portal_commitment == commitment(made.roster_digest, PORTAL, made.portal_secret)
    assert made.seed == seed_of(made.roster_digest, made.rule_digest, {PORTAL: made.portal_secret})


def test_every_stratum_is_drawn_at_its_own_rate():
    homes = [make_institution(credit_class=credit) for credit in ["A"] * 6 + ["D"] * 3 + [""]]
    inspection, clerk = closed(*homes, rule=BY_CREDIT)
    made = draw(inspection, actor=clerk)
    assert made.strata == [
        {"stratum": "", "members": 1, "drawn": 1, "probability": "1/1"},
        {"stratum": "A", "members": 6, "drawn": 2, "probability": "2/6"},
        {"stratum": "D", "members": 3, "drawn": 3, "probability": "3/3"},
    ]
    drawn = sorted(made.drawn.values_list("stratum", "institution__credit_class"))
    assert drawn == [("", ""), ("A", "A"), ("A", "A"), ("D", "D"), ("D", "D"), ("D", "D")]


def test_who_closed_since_the_scope_was_set_is_not_drawn_and_is_said_to_be_left_out():
    gone, paused, meant, here = (make_institution() for _ in range(4))
    inspection, clerk = closed(gone, paused, meant, here)
    for home, state in [(gone, "CLOSED"), (paused, "SUSPENDED"), (meant, "SUSPENDED")]:
        home.operating_state = OperatingState(state)
        home.save()
    inspection.candidates.filter(institution=meant).update(source=ScopeSource.HAND)
    made = draw(inspection, actor=clerk)
    assert set(made.drawn.values_list("institution", flat=True)) == {meant.pk, here.pk}
    assert made.roster.content["excluded"] == sorted(
        [{"key": str(gone.key), "reason": "CLOSED"}, {"key": str(paused.key), "reason": "SUSPENDED"}],
        key=lambda one: one["key"],
    )


def test_with_nobody_left_there_is_no_draw():
    home = make_institution()
    inspection, clerk = closed(home)
    home.operating_state = OperatingState.CLOSED
    home.save()
    with pytest.raises(DomainError, match="没有可以抽取的机构"):
        draw(inspection, actor=clerk)


def test_what_is_published_verifies_and_names_nobody():
    homes = [make_institution(credit_class=credit) for credit in "AAAADD"]
    inspection, clerk = closed(*homes, rule=BY_CREDIT)
    published = document(draw(inspection, actor=clerk))
    assert [check.what for check in verify(published) if not check.agrees] == []
    assert published["words"]["rule"] == (
        "按信用等级分层：D（失信）全部抽取；其余各层抽取 20%。各层分别计算，不足一家的按一家计。"
    )
    assert len(published["words"]["institutions"]) == 3
    assert clerk.name not in str(published)


def test_a_second_draw_is_refused():
    inspection, clerk = closed(make_institution())
    draw(inspection, actor=clerk)
    with pytest.raises(DomainError, match="机构已经抽取；确需重新抽取的，由负责人说明理由批准"):
        draw(inspection, actor=clerk)


def test_who_was_merged_away_since_the_scope_was_set_is_not_drawn():
    temporary, here = make_institution(), make_institution()
    inspection, clerk = closed(temporary, here)
    merge(temporary, make_institution(uscc=USCCS[0]), actor=make_keeper())
    made = draw(inspection, actor=clerk)
    assert list(made.drawn.values_list("institution", flat=True)) == [here.pk]
    assert made.roster.content["excluded"] == [{"key": str(temporary.key), "reason": "MERGED"}]


def test_a_draw_before_ticking_closed_is_refused():
    inspection, clerk = closed(make_institution())
    inspection.state = InspectionState.TICKING
    inspection.save()
    with pytest.raises(DomainError, match="勾选截止后"):
        draw(inspection, actor=clerk)


def test_another_department_may_not_draw():
    inspection, _ = closed(make_institution())
    with pytest.raises(PermissionDenied):
        draw(inspection, actor=make_user(make_department("xiaofang")))


# --- Again ----------------------------------------------------------------------------------------


def test_a_redraw_stands_beside_the_old_one():
    inspection, clerk = closed(*[make_institution() for _ in range(4)], ratio=50)
    first = draw(inspection, actor=clerk)
    before = list(first.drawn.values_list("institution", flat=True))
    approver = head()
    services.replace(first, reason="名单漏列两家机构", actor=approver)
    second = draw(inspection, actor=clerk)
    first.refresh_from_db()
    assert (first.state, first.ended_reason, first.ended_by) == (
        DrawState.REPLACED,
        "名单漏列两家机构",
        approver,
    )
    assert list(first.drawn.values_list("institution", flat=True)) == before
    assert (second.number, second.state) == (2, DrawState.DRAWN)
    assert services.standing_draw(inspection) == second
    kinds = [entry.kind for entry in entries_of(inspection.subject)]
    assert kinds == [
        Event.ROSTER_FROZEN,
        Event.DRAWN,
        Event.DRAW_REPLACED,
        Event.ROSTER_FROZEN,
        Event.DRAWN,
    ]


def test_without_a_reason_nothing_is_drawn_again():
    inspection, clerk = closed(make_institution())
    with pytest.raises(DomainError) as refusal:
        services.replace(draw(inspection, actor=clerk), reason=" ", actor=head())
    assert refusal.value.fields == {"reason": "请填写重新抽取的理由。"}
    assert Draw.objects.get().state == DrawState.DRAWN


def test_only_the_head_lets_it_be_drawn_again():
    inspection, clerk = closed(make_institution())
    made = draw(inspection, actor=clerk)
    for account in (clerk, make_user(make_department("xiaofang"), Role.HEAD)):
        with pytest.raises(PermissionDenied):
            services.replace(made, reason="重抽", actor=account)


def test_once_forms_exist_nothing_is_drawn_again():
    inspection, clerk = closed(make_institution())
    made = draw(inspection, actor=clerk)
    inspection.state = InspectionState.GENERATING
    inspection.save()
    with pytest.raises(DomainError, match="检查任务已经生成"):
        services.replace(made, reason="重抽", actor=head())
