from collections import Counter
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from core import jobs
from core.errors import DomainError
from departments.models import Officer, Sector, User
from inspections.draws.publication import verify
from inspections.enums import TaskState
from inspections.models import RosterOfficer, Task, TaskOfficer
from inspections.services import merge
from inspections.services.assignment import fix_teams, teams_for
from inspections.services.draw import draw
from inspections.services.publication import document
from institutions.models import Recusal
from scenarios.models import MatrixRow
from tests.factories.departments import make_department, make_officer
from tests.factories.institutions import make_institution
from tests.factories.merging import make_closed_inspection
from tests.factories.scenarios import make_version

pytestmark = pytest.mark.django_db

FIRE = {"消防检查"}


@pytest.fixture(autouse=True)
def _no_queue(monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", lambda job: None)


@pytest.fixture
def homes():
    return [make_institution(name=f"第{n}养老院") for n in range(5)]


def fire_officers() -> list[Officer]:
    return list(Officer.objects.filter(department__code="xiaofang").order_by("pk"))


def generate(inspection, clerk):
    made = draw(inspection, actor=clerk)
    merge.generate(merge.start_generating(inspection, actor=clerk).pk)
    made.refresh_from_db()
    return made


def sent_to(home) -> set[int]:
    return set(TaskOfficer.objects.filter(task__institution=home).values_list("officer", flat=True))


def refusal(inspection, clerk) -> str:
    draw(inspection, actor=clerk)
    with pytest.raises(DomainError) as refused:
        merge.start_generating(inspection, actor=clerk)
    return refused.value.message


def fire_sector() -> Sector:
    """The sector of the rows that lead to the fire check."""
    return MatrixRow.objects.filter(check_text="消防检查").first().sector


def visited_before(home, *officers, times=1) -> None:
    """Submitted visits of these officers to the institution."""
    for number in range(times):
        moment = timezone.now() - timedelta(days=30 - number)
        task = Task.objects.create(
            institution=home,
            state=TaskState.SUBMITTED,
            window_from=moment.date(),
            window_until=moment.date(),
            submitted_at=moment,
            submitted_by=officers[0].user,
            answers_digest="0",
        )
        for officer in officers:
            TaskOfficer.objects.create(task=task, officer=officer, department=officer.department)


# --- The frozen roster ----------------------------------------------------------------------------


def test_the_frozen_roster_has_officers_by_code_with_sectors_and_exclusions(homes):
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked=FIRE, officers=3)
    first, second, third = fire_officers()
    first.sectors.add(Sector.objects.create(name="消防安全"))
    Recusal.objects.create(officer=second, institution=homes[0], reason="亲属任职")
    made = draw(inspection, actor=clerk)
    codes = {one.officer_id: one.code for one in RosterOfficer.objects.filter(draw=made)}
    assert sorted(codes.values()) == ["xiaofang-01", "xiaofang-02", "xiaofang-03"]
    frozen = {one.pop("officer"): one for one in made.roster.content["officers"]}
    assert frozen == {
        codes[first.pk]: {"department": "xiaofang", "sectors": ["消防安全"], "barred": []},
        codes[second.pk]: {"department": "xiaofang", "sectors": [], "barred": [str(homes[0].key)]},
        codes[third.pk]: {"department": "xiaofang", "sectors": [], "barred": []},
    }


def test_no_officer_is_named_in_what_is_published(homes):
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked=FIRE, officers=3)
    User.objects.filter(officer__isnull=False).update(name="林警官")
    published = str(document(generate(inspection, clerk)))
    assert "林警官" not in published
    assert not any(officer.certificate_number in published for officer in fire_officers())


def test_everything_published_can_be_worked_out_again(homes):
    inspection, clerk = make_closed_inspection(make_version(), homes, officers=4)
    Recusal.objects.create(officer=fire_officers()[0], institution=homes[0], reason="亲属任职")
    checks = verify(document(generate(inspection, clerk)))
    assert [check.what for check in checks if not check.agrees] == []
    assert "市消防救援大队的执法人员" in [check.what for check in checks]


def test_the_public_page_says_how_evenly_they_go(client, homes):
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked=FIRE, officers=4)
    made = generate(inspection, clerk)
    page = client.get(reverse("inspections:draw_detail", args=[made.pk]))
    assert page.context["loads"] == [
        {
            "department": "xiaofang",
            "name": "市消防救援大队",
            "officers": 4,
            "visits": 5,
            "least": 2,
            "most": 3,
        }
    ]


# --- Who goes -------------------------------------------------------------------------------------


def test_who_goes_follows_from_the_seed(homes):
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked=FIRE, officers=5)
    made = generate(inspection, clerk)
    codes = {one.code: one.officer_id for one in RosterOfficer.objects.filter(draw=made)}
    places = {str(home.key): home for home in homes}
    for visit in document(made)["teams"]["visits"]:
        assert sent_to(places[visit["key"]]) == {codes[code] for code in visit["officers"]["xiaofang"]}


def test_a_job_taken_over_sends_the_same_people(homes):
    inspection, clerk = make_closed_inspection(make_version(), homes, officers=5)
    made = draw(inspection, actor=clerk)
    fix_teams(inspection, made)

    def everybody(teams):
        return [list(teams.sent(place, teams.departments(place))) for place in range(1, 6)]

    assert everybody(teams_for(made)) == everybody(teams_for(made))


def test_nobody_has_two_visits_more_than_a_colleague(homes):
    inspection, clerk = make_closed_inspection(make_version(), homes, officers=4)
    Recusal.objects.create(officer=fire_officers()[0], institution=homes[0], reason="亲属任职")
    generate(inspection, clerk)
    for department in inspection.ticks.values_list("department", flat=True).distinct():
        sent = TaskOfficer.objects.filter(department=department).values_list("officer", flat=True)
        counted = Counter(sent)
        shares = [counted[officer.pk] for officer in Officer.objects.filter(department=department)]
        assert max(shares) - min(shares) <= 1


def test_an_officer_of_another_sector_does_not_go(homes):
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked=FIRE, officers=4)
    other, fitting, *_ = fire_officers()
    other.sectors.add(Sector.objects.create(name="燃气"))
    fitting.sectors.add(fire_sector())
    generate(inspection, clerk)
    going = set(TaskOfficer.objects.values_list("officer", flat=True))
    assert going == {officer.pk for officer in fire_officers()} - {other.pk}


def test_who_went_so_often_in_a_row_stays_away(homes, settings):
    settings.OFFICER_CONSECUTIVE_VISITS = 2
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked=FIRE, officers=4)
    first, second, *_ = fire_officers()
    visited_before(homes[0], first, second, times=2)
    generate(inspection, clerk)
    open_task = Task.objects.exclude(state=TaskState.SUBMITTED).get(institution=homes[0])
    going = set(open_task.officers.values_list("officer", flat=True))
    assert going == {officer.pk for officer in fire_officers()[2:]}


@pytest.mark.parametrize(("limit", "times"), [(3, 2), (0, 9)])
def test_below_the_limit_or_without_one_anybody_may_go(homes, settings, limit, times):
    settings.OFFICER_CONSECUTIVE_VISITS = limit
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked=FIRE, officers=2)
    visited_before(homes[0], *fire_officers(), times=times)
    generate(inspection, clerk)
    assert sent_to(homes[0]) == {officer.pk for officer in fire_officers()}


def test_a_visit_by_others_between_starts_the_count_anew(homes, settings):
    settings.OFFICER_CONSECUTIVE_VISITS = 2
    inspection, clerk = make_closed_inspection(make_version(), homes[:1], ticked=FIRE, officers=2)
    first, second = fire_officers()
    others = [make_officer(make_department("xiaofang")) for _ in range(2)]
    visited_before(homes[0], first, second)
    visited_before(homes[0], *others)
    made = draw(inspection, actor=clerk)
    assert [one["barred"] for one in made.roster.content["officers"]] == [[], [], [], []]


# --- After the freeze -----------------------------------------------------------------------------


def test_who_left_since_the_freeze_does_not_go_and_who_came_may(homes):
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked=FIRE, officers=3)
    made = draw(inspection, actor=clerk)
    gone = fire_officers()[0]
    gone.user.is_active = False
    gone.user.save()
    make_officer(make_department("xiaofang"))
    merge.generate(merge.start_generating(inspection, actor=clerk).pk)
    assert not TaskOfficer.objects.filter(officer=gone).exists()
    made.refresh_from_db()
    codes = [one["officer"] for one in made.roster.teams["officers"]]
    assert (len(codes), codes[-1]) == (3, "xiaofang-04")
    assert all(check.agrees for check in verify(document(made)))


def test_a_recusal_ended_after_the_freeze_still_counts(homes):
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked=FIRE, officers=3)
    recused = fire_officers()[0]
    Recusal.objects.create(officer=recused, institution=homes[0], reason="亲属任职")
    draw(inspection, actor=clerk)
    Recusal.objects.all().delete()
    merge.generate(merge.start_generating(inspection, actor=clerk).pk)
    assert recused.pk not in sent_to(homes[0])


# --- Why nobody can go ----------------------------------------------------------------------------


def test_too_few_officers_is_the_first_reason(homes):
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked=FIRE, officers=1)
    assert refusal(inspection, clerk) == (
        "市消防救援大队在检查期内执法证有效且在岗的执法人员只有 1 名，至少需要 2 名，请先由该部门补充。"
    )


def test_too_few_for_a_sector_names_the_sector(homes):
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked=FIRE, officers=3)
    gas = Sector.objects.create(name="燃气")
    for officer in fire_officers()[:2]:
        officer.sectors.add(gas)
    assert refusal(inspection, clerk) == (
        f"市消防救援大队在检查期内能检查“{fire_sector()}”条线的执法人员只有 1 名，至少需要 2 名，请先由该部门补充。"
    )


def test_too_few_for_one_institution_names_it(homes, settings):
    settings.OFFICER_CONSECUTIVE_VISITS = 2
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked=FIRE, officers=3)
    first, second, _ = fire_officers()
    Recusal.objects.create(officer=first, institution=homes[3], reason="亲属任职")
    visited_before(homes[3], second, times=2)
    assert refusal(inspection, clerk) == (
        "市消防救援大队可以派往“第3养老院”的执法人员只有 1 名"
        "（其余须回避，或已连续检查该机构 2 次），至少需要 2 名。"
    )


def test_a_department_nobody_needs_is_not_asked_for_officers():
    home = make_institution()
    inspection, clerk = make_closed_inspection(make_version(), [home], ticked={"食堂检查"})
    Officer.objects.update(certified_until=timezone.localdate() - timedelta(days=1))
    draw(inspection, actor=clerk)
    job = merge.start_generating(inspection, actor=clerk)
    merge.generate(job.pk)
    assert (Task.objects.count(), TaskOfficer.objects.count()) == (0, 0)
