import pytest
from django.urls import reverse

from departments.enums import Role
from departments.models import Sector
from scenarios.models import CheckItem, PenaltyItem, Scenario
from scenarios.services import drafting
from scenarios.services.importing import import_workbook
from tests.factories.departments import make_department, make_user
from tests.factories.matrices import JINJIANG, make_admin, make_bureaus
from tests.factories.scenarios import Row, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def shichang():
    return make_department("shichang")


@pytest.fixture
def clerk(shichang):
    return make_user(shichang, Role.HANDLER)


@pytest.fixture
def sector():
    return Sector.objects.get_or_create(name="市场监管")[0]


@pytest.fixture
def draft(clerk, shichang):
    return drafting.create_scenario(name="食品安全一件事", lead_department=shichang, actor=clerk)


def url(name: str, *args) -> str:
    return reverse(f"scenarios:{name}", args=args)


def item(name: str = "食堂检查", department=None) -> CheckItem:
    return CheckItem.objects.create(name=name, department=department or make_department("shichang"))


def test_a_department_makes_its_scenario_and_fills_it_by_hand(client_as, clerk, shichang, sector):
    client = client_as(clerk)
    made = client.post(url("create"), {"name": "食品安全一件事", "lead_department": "shichang"})
    draft = Scenario.objects.get(name="食品安全一件事").versions.get()
    assert made["Location"] == url("draft_edit", draft.pk)
    assert "清单还是空的" in client.get(made["Location"]).content.decode()
    canteen = item()
    client.post(
        url("draft_items", draft.pk),
        {"items": [canteen.pk], "situation": "对食品安全的监管", "sector": sector.pk},
    )
    row = draft.rows.get()
    penalty = PenaltyItem.objects.create(name="一项处罚")
    saved = client.post(
        url("line_edit", draft.pk, row.pk),
        {
            "situation": "对食品安全的监管",
            "sector": sector.pk,
            "check_item": canteen.pk,
            "penalty_item": penalty.pk,
            "body": "towns:FIRE",
            "place": 1,
        },
    )
    assert saved["Location"] == f"{url('draft_edit', draft.pk)}#line-{row.pk}"
    row.refresh_from_db()
    assert (row.penalty_item, row.delegation_list) == (penalty, "FIRE")
    assert 'data-dialog="publish"' in client.get(url("version", draft.pk)).content.decode()
    page = client.post(url("publish", draft.pk), follow=True).content.decode()
    assert "内容不再更改" in page


def test_a_taken_name_is_shown_in_the_form(client_as, clerk, draft):
    response = client_as(clerk).post(url("create"), {"name": "食品安全一件事", "lead_department": "shichang"})
    assert response.status_code == 422
    assert "已由市市场监管局牵头" in response.content.decode()


def test_only_ones_own_departments_may_lead(client_as, clerk):
    make_department("minzheng")
    response = client_as(clerk).post(url("create"), {"name": "一件事", "lead_department": "minzheng"})
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["lead_department"])


def test_the_version_in_force_is_copied_into_a_draft(client_as):
    version = make_version()
    client = client_as(make_user(make_department("minzheng"), Role.HANDLER))
    response = client.post(url("draft_begin", version.scenario_id), follow=True)
    assert "已按第1版起草第2版" in response.content.decode()
    assert len(response.context["lines"]) == 7


def test_a_published_version_is_shown_as_closed(client_as):
    version = make_version()
    client = client_as(make_user(make_department("minzheng"), Role.HANDLER))
    response = client.get(url("draft_edit", version.pk))
    assert response.status_code == 409
    assert "可按它起草新版本" in response.content.decode()


def test_rows_of_other_scenarios_are_copied(client_as, clerk, draft):
    version = make_version([Row("食堂检查", "shichang", "一项处罚", "shichang"), Row("用地检查", "ziran")])
    client = client_as(clerk)
    page = url("draft_rows", draft.pk)
    listing = client.get(page, {"department": "shichang"}).context["listing"]
    assert [row.check_text for row in listing] == ["食堂检查"]
    response = client.post(page, {"rows": [row.pk for row in version.rows.all()]}, follow=True)
    assert "已编入 2 行。" in response.content.decode()
    response = client.post(page, {"rows": [version.rows.first().pk]}, follow=True)
    assert "1 行已在清单中" in response.content.decode()


def test_nothing_picked_is_said(client_as, clerk, draft, sector):
    item()
    response = client_as(clerk).post(url("draft_items", draft.pk), {"situation": "", "sector": sector.pk})
    assert (response.status_code, response.context["form"].errors) == (
        422,
        {"situation": ["请填写一件事情形。"], "items": ["请至少勾选一项检查事项。"]},
    )


def test_what_was_picked_stays_picked_when_something_lacks(client_as, clerk, draft, sector):
    canteen = item()
    response = client_as(clerk).post(url("draft_items", draft.pk), {"items": [canteen.pk]})
    assert response.status_code == 422
    assert response.context["chosen"] == {str(canteen.pk)}


def test_retired_items_are_not_offered(client_as, clerk, draft):
    canteen = item()
    CheckItem.objects.filter(pk=canteen.pk).update(retired_at="2025-01-01T00:00:00+08:00")
    assert list(client_as(clerk).get(url("draft_items", draft.pk)).context["listing"]) == []


def test_a_penalty_without_a_body_is_shown_in_the_form(client_as, clerk, draft, sector):
    canteen = item()
    drafting.add_lines(draft, [canteen], actor=clerk, situation="情形", sector=sector)
    row = draft.rows.get()
    response = client_as(clerk).post(
        url("line_edit", draft.pk, row.pk),
        {
            "situation": "情形",
            "sector": sector.pk,
            "check_item": canteen.pk,
            "penalty_item": PenaltyItem.objects.create(name="一项处罚").pk,
            "body": "",
            "place": 1,
        },
    )
    assert response.status_code == 422
    assert response.context["form"].errors == {"body": ["请选择处罚实施主体"]}


def test_lines_are_moved_and_removed_on_the_page(client_as, clerk, draft, sector):
    made = [item("甲"), item("乙")]
    drafting.add_lines(draft, made, actor=clerk, situation="情形", sector=sector)
    first, second = draft.rows.order_by("position")
    client = client_as(clerk)
    client.post(url("line_move", draft.pk, second.pk), {"to": "up"})
    assert [row.check_text for row in draft.rows.order_by("position")] == ["乙", "甲"]
    client.post(url("line_remove", draft.pk, first.pk))
    assert client.post(url("line_remove", draft.pk, first.pk)).status_code == 302
    assert [row.check_text for row in draft.rows.all()] == ["乙"]


def test_a_line_somebody_removed_meanwhile_is_not_found(client_as, clerk, draft, sector, monkeypatch):
    drafting.add_lines(draft, [item()], actor=clerk, situation="情形", sector=sector)
    row = draft.rows.get()
    monkeypatch.setattr(drafting, "lines_of", lambda version: [])
    assert client_as(clerk).get(url("line_edit", draft.pk, row.pk)).status_code == 404


def test_another_departments_draft_is_not_there(client_as, draft):
    stranger = client_as(make_user(make_department("minzheng"), Role.HANDLER))
    assert stranger.get(url("draft_edit", draft.pk)).status_code == 404
    version = make_version()
    other = client_as(make_user(make_department("shichang"), Role.HANDLER))
    assert other.post(url("draft_begin", version.scenario_id)).status_code == 403


@pytest.mark.parametrize("number", [1, 3])
def test_the_pages_ask_the_same_number_of_queries(
    client_as, clerk, draft, sector, number, django_assert_num_queries
):
    make_version([Row(f"别的{at}", "ziran") for at in range(number)])
    made = [item(f"检查{at}") for at in range(number)]
    drafting.add_lines(draft, made, actor=clerk, situation="情形", sector=sector)
    client = client_as(clerk)
    with django_assert_num_queries(11):
        assert len(client.get(url("draft_edit", draft.pk)).context["lines"]) == number
    with django_assert_num_queries(15):
        client.get(url("draft_items", draft.pk))
    with django_assert_num_queries(14):
        client.get(url("draft_rows", draft.pk))
    with django_assert_num_queries(16):
        client.get(url("line_edit", draft.pk, draft.rows.first().pk))


def test_a_whole_matrix_is_edited(client_as):
    make_bureaus()
    admin = make_admin()
    draft = import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin)
    client = client_as(admin)
    row = draft.rows.order_by("position")[9]
    assert client.post(url("line_move", draft.pk, row.pk), {"to": "down"}).status_code == 302
    assert draft.rows.get(pk=row.pk).number == "11"
    assert len(client.get(url("version", draft.pk)).context["matrix"]["rows"]) == 28
