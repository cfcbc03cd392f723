import pytest
from django.urls import reverse
from django.utils import timezone

from departments.enums import Role
from inspections.enums import InspectionState, ParticipationState
from inspections.models import JointInspection
from inspections.services import ticking
from institutions.enums import Feature
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.inspections import clerk_of, make_inspection
from tests.factories.institutions import make_institution
from tests.factories.scenarios import Row, make_version
from tests.factories.ticking import own_tick, part

pytestmark = pytest.mark.django_db

TICKS_QUERIES = 14
UNCHANGED_QUERIES = 7
CHANGED_QUERIES = 10
HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(client_as, clerk):
    return client_as(clerk)


def url(name: str, row) -> str:
    return reverse(f"inspections:{name}", args=[row.pk])


def send(client, tick, **data):
    return client.post(url("tick", tick), {"ticked": "on", "note": "", "rev": tick.rev, **data}, headers=HTMX)


@pytest.mark.parametrize("count", [1, 3])
def test_board_costs_the_same_for_one_and_three_items(client_as, django_assert_num_queries, count):
    rows = [Row(f"食堂检查{n}", "shichang") for n in range(count)]
    rows += [Row(f"用地检查{n}", "ziran") for n in range(count)]
    inspection = make_inspection(version=make_version(rows))
    clerk = clerk_of(make_department("shichang"))
    ticking.see(inspection.participations.get(department__code="shichang"), actor=clerk)
    client = client_as(clerk)
    with django_assert_num_queries(TICKS_QUERIES):
        response = client.get(url("ticks", inspection))
    assert len(response.context["sections"][0]["lines"]) == count


def test_board_sets_own_items_apart_from_those_of_others(page, inspection):
    context = page.get(url("ticks", inspection)).context
    assert [s["participation"].department.code for s in context["sections"]] == ["shichang"]
    assert {g["participation"].department.code for g in context["others"]} == {
        "minzheng",
        "ziran",
        "xiaofang",
    }


def test_opening_the_board_marks_the_invitation_seen(page, inspection, shichang):
    page.get(url("ticks", inspection))
    assert part(inspection, shichang).state == ParticipationState.SEEN


def test_reading_by_an_officer_is_not_the_departments_answer(client_as, inspection, shichang):
    response = client_as(make_user(shichang, Role.OFFICER)).get(url("ticks", inspection))
    assert (response.context["sections"], part(inspection, shichang).state) == (
        [],
        ParticipationState.INVITED,
    )


def test_board_counts_the_institutions_an_item_applies_to(page, shichang):
    institutions = [make_institution(features=[Feature.CANTEEN]), make_institution()]
    inspection = make_inspection(institutions=institutions)
    line = page.get(url("ticks", inspection)).context["sections"][0]["lines"][0]
    assert (line["applicable"], line["tick"].item.applicability) == (1, "设有食堂的机构")


def test_uninvolved_town_finds_nothing(client_as, inspection):
    town = client_as(clerk_of(make_department("yinglin", make_town())))
    tick = inspection.ticks.first()
    answers = [
        town.get(url("ticks", inspection)),
        town.get(url("ticks_changes", inspection)),
        town.get(url("tick_row", tick)),
        town.post(url("tick", tick), {"rev": 0}),
        town.post(url("request_item", tick), {"reason": "请查"}),
        town.post(url("answer", inspection.participations.first())),
    ]
    assert [answer.status_code for answer in answers] == [404] * 6


def test_inspectorate_reads_and_cannot_write(client_as, inspection):
    watcher = client_as(make_user(None, Role.INSPECTORATE))
    tick = inspection.ticks.first()
    assert watcher.get(url("ticks", inspection)).status_code == 200
    assert watcher.post(url("tick", tick), {"rev": 0}).status_code == 403


def test_board_past_its_deadline_offers_nothing_to_write(page, inspection):
    JointInspection.objects.update(tick_deadline=timezone.now())
    response = page.get(url("ticks", inspection))
    assert response.context["open"] is False
    assert "提交勾选" not in response.content.decode()


def test_closed_board_is_read_only(page):
    inspection = make_inspection(InspectionState.TICKING_CLOSED)
    response = page.get(url("ticks", inspection))
    assert "勾选已截止，以下内容只能查看。" in response.content.decode()


# --- What others do appears by itself -----------------------------------------------------------


def shown(context) -> dict[str, list[str] | str]:
    """What a page that shows this board says of itself when it asks for changes."""
    groups = [*context["sections"], *context["others"]]
    seen = [line["seen"] for group in groups for line in group["lines"]]
    return {"live": "", "seen": seen, "head": [group["head"] for group in groups]}


def changes(client, inspection, context):
    return client.get(url("ticks_changes", inspection), shown(context), headers=HTMX)


def test_changes_answer_204_while_nothing_changes(page, inspection):
    context = page.get(url("ticks", inspection)).context
    assert changes(page, inspection, context).status_code == 204


def test_anothers_tick_arrives_as_its_one_row(page, inspection, ziran):
    context = page.get(url("ticks", inspection)).context
    row = own_tick(inspection, ziran)
    ticking.tick(row, ticked=True, note="查用地", rev=0, actor=clerk_of(ziran))
    response = changes(page, inspection, context)
    assert [[line["tick"].pk for line in group["changed"]] for group in response.context["groups"]] == [
        [row.pk]
    ]
    assert "查用地" in response.content.decode()


def test_colleagues_tick_in_the_own_column_arrives_as_a_form(page, inspection, shichang):
    context = page.get(url("ticks", inspection)).context
    row = own_tick(inspection, shichang)
    ticking.tick(row, ticked=True, note="", rev=0, actor=make_user(shichang, Role.HANDLER))
    text = changes(page, inspection, context).content.decode()
    assert f'id="ticked-{row.pk}"' in text
    assert "已勾选 1 / 1 项" in text


def test_colleagues_answer_redraws_the_own_column(page, inspection, shichang):
    ticking.tick(own_tick(inspection, shichang), ticked=True, note="", rev=0, actor=clerk_of(shichang))
    context = page.get(url("ticks", inspection)).context
    ticking.answer(part(inspection, shichang), actor=make_user(shichang, Role.HANDLER))
    response = changes(page, inspection, context)
    assert [section["participation"].department for section in response.context["moved"]] == [shichang]
    assert "重新提交勾选" in response.content.decode()


def test_anothers_answer_arrives_in_its_columns_head(page, inspection, ziran):
    context = page.get(url("ticks", inspection)).context
    ticking.decline(part(inspection, ziran), reason="本月集训", actor=clerk_of(ziran))
    assert "本月集训" in changes(page, inspection, context).content.decode()


def test_request_arrives_at_the_owners_open_page(page, inspection, ziran, client_as):
    owner = client_as(clerk_of(ziran))
    context = owner.get(url("ticks", inspection)).context
    page.post(url("request_item", own_tick(inspection, ziran)), {"reason": "群众反映占地"})
    assert "群众反映占地" in changes(owner, inspection, context).content.decode()


def test_own_change_that_the_page_already_shows_is_no_news(page, inspection, shichang):
    context = page.get(url("ticks", inspection)).context
    saved = send(page, own_tick(inspection, shichang))
    said = shown(context)
    said["seen"] = [
        token for token in said["seen"] if not token.startswith(f"{own_tick(inspection, shichang).pk}:")
    ]
    said["seen"].append(saved.context["seen"])
    assert page.get(url("ticks_changes", inspection), said).status_code == 204


@pytest.mark.parametrize("count", [1, 3])
def test_poll_costs_the_same_for_one_and_three_items(client_as, django_assert_num_queries, count):
    rows = [Row(f"食堂检查{n}", "shichang") for n in range(count)]
    rows += [Row(f"用地检查{n}", "ziran") for n in range(count)]
    inspection = make_inspection(version=make_version(rows))
    client = client_as(clerk_of(make_department("shichang")))
    context = client.get(url("ticks", inspection)).context
    with django_assert_num_queries(UNCHANGED_QUERIES):
        assert changes(client, inspection, context).status_code == 204
    ziran = part(inspection, make_department("ziran"))
    revs = dict(inspection.ticks.filter(department=ziran.department).values_list("pk", "rev"))
    ticking.tick_all(ziran, ticked=True, revs=revs, actor=clerk_of(ziran.department))
    with django_assert_num_queries(CHANGED_QUERIES):
        assert changes(client, inspection, context).status_code == 200


def test_page_is_reloaded_when_ticking_ends(page, inspection):
    context = page.get(url("ticks", inspection)).context
    ticking.close_ticking(inspection, actor=clerk_of(inspection.lead_department))
    response = changes(page, inspection, context)
    assert (response.status_code, response["HX-Refresh"]) == (286, "true")
