import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from core.models import ImportRun
from core.registers import reading, runs
from departments.enums import Role
from scenarios.enums import DelegationAct
from scenarios.models import Delegation
from scenarios.services.delegations import confirm_delegation, end_delegation, withdraw_delegation
from scenarios.services.delegations.register import DELEGATIONS
from tests.factories.delegations import make_upload
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.matrices import make_admin
from tests.factories.papers import PDF, make_pdf
from tests.factories.scenarios import delegate_all, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return make_admin()


@pytest.fixture
def clerk():
    return make_user(make_department("minzheng"), Role.HANDLER)


@pytest.fixture
def version():
    return make_version()


@pytest.fixture
def town(version):
    town = make_town("英林镇")
    delegate_all(town, version)
    return town


def url(name: str, *args) -> str:
    return reverse(f"scenarios:{name}", args=args)


def history(delegation: Delegation) -> str:
    return url("delegation_history", delegation.town.code, delegation.penalty_item_id)


# --- The grid -------------------------------------------------------------------------------------------


def test_the_grid_shows_what_each_town_holds_today(client_as, clerk, town):
    make_town("安海镇")
    grid = client_as(clerk).get(url("delegation_list")).context["grid"]
    assert {line.town.name: (line.held, len(line.cells)) for line in grid.lines} == {
        "英林镇": (3, 3),
        "安海镇": (0, 3),
    }


def test_the_grid_shows_another_day_and_one_list_of_one_town(client_as, clerk, town):
    make_town("安海镇")
    query = {"on": "2023-12-31", "listing": "FIRE", "town": town.code}
    (line,) = client_as(clerk).get(url("delegation_list"), query).context["grid"].lines
    assert [cell.text for cell in line.cells] == ["将于 2024-01-01 起"] * 2


def test_a_day_that_is_none_is_said_beside_its_field(client_as, clerk, town):
    response = client_as(clerk).get(url("delegation_list"), {"on": "昨天"})
    assert response.context["form"].errors == {"on": ["请填写日期，如 2024-12-02。"]}
    assert "grid" not in response.context


def test_a_day_out_of_range_is_asked_for_again(client_as, clerk, town):
    response = client_as(clerk).get(url("delegation_list"), {"on": "9999-12-31"})
    assert response.context["form"].errors == {"on": ["日期应在 1900-01-01 至 2100-12-31 之间。"]}


def test_without_a_matrix_the_grid_says_when_it_appears(client_as, clerk):
    make_town()
    assert "发布的清单中有" in client_as(clerk).get(url("delegation_list")).content.decode()


def test_a_town_shows_its_periods(client_as, clerk, town):
    response = client_as(clerk).get(url("delegation_list"), {"town": town.code})
    assert len(response.context["listing"].page.object_list) == 3


def test_what_ends_soon_is_announced(client_as, clerk, admin, town):
    until = timezone.localdate() + timedelta(days=30)
    end_delegation(town.delegations.first(), valid_until=until, actor=admin)
    content = client_as(clerk).get(url("delegation_list")).content.decode()
    assert f"1 个镇街共 1 项赋权将到期，最早 {until}" in content


@pytest.mark.parametrize("number", [1, 3])
def test_the_grid_asks_the_same_number_of_queries(
    client_as, clerk, version, number, django_assert_num_queries
):
    for at in range(number):
        delegate_all(make_town(f"第{at}镇"), version)
    client = client_as(clerk)
    with django_assert_num_queries(12):
        assert len(client.get(url("delegation_list")).context["grid"].lines) == number


# --- History and paper ------------------------------------------------------------------------------------


def test_the_history_keeps_every_entry(client_as, clerk, admin, town):
    first = town.delegations.first()
    second = end_delegation(first, valid_until=timezone.localdate(), reason="评估未通过", actor=admin)
    withdraw_delegation(second, reason="误登", actor=admin)
    response = client_as(clerk).get(history(first))
    assert [event["title"].split("：")[0] for event in response.context["events"]] == [
        "撤销登记",
        "终止",
        "登记",
    ]
    assert response.context["periods"] == []
    assert "评估未通过" in response.content.decode()


def test_the_history_says_who_receives_todays_findings(client_as, clerk, town):
    content = client_as(clerk).get(history(town.delegations.last())).content.decode()
    assert "移送英林镇，市消防救援大队不再受理。" in content


def test_the_history_of_a_cell_without_delegation(client_as, clerk, town):
    item = town.delegations.last().penalty_item_id
    response = client_as(clerk).get(url("delegation_history", make_town("紫帽镇").code, item))
    content = response.content.decode()
    assert "紫帽镇今天未承接这项处罚权，发现的问题由市消防救援大队办理。" in content
    assert "没有有效的赋权" in content


def test_an_unknown_town_or_item_is_not_found(client_as, clerk, town):
    item = town.delegations.first().penalty_item_id
    assert client_as(clerk).get(url("delegation_history", "nowhere", item)).status_code == 404
    assert client_as(clerk).get(url("delegation_history", town.code, 0)).status_code == 404


def test_everybody_who_sees_the_delegation_downloads_its_paper(client_as, clerk, admin, town):
    filed = confirm_delegation(town.delegations.first(), confirmation=make_pdf(), actor=admin)
    response = client_as(clerk).get(url("confirmation", filed.pk))
    assert b"".join(response.streaming_content) == PDF
    assert response["Content-Disposition"].startswith("attachment")


def test_an_entry_without_a_paper_has_none_to_download(client_as, clerk, town):
    assert client_as(clerk).get(url("confirmation", town.delegations.first().pk)).status_code == 404


@pytest.mark.parametrize("number", [1, 3])
def test_the_history_asks_the_same_number_of_queries(
    client_as, clerk, admin, town, number, django_assert_num_queries
):
    entry = town.delegations.first()
    for _ in range(number):
        entry = confirm_delegation(entry, confirmation=make_pdf(), actor=admin)
    client = client_as(clerk)
    with django_assert_num_queries(11):
        assert len(client.get(history(entry)).context["events"]) == number + 1


# --- Recording and changing -------------------------------------------------------------------------------


def test_a_whole_list_is_delegated_to_several_towns(client_as, admin, version):
    towns = [make_town("英林镇"), make_town("安海镇")]
    response = client_as(admin).post(
        url("delegate"),
        {
            "delegation_list": "FIRE",
            "towns": [town.pk for town in towns],
            "valid_from": "2024-12-02",
            "confirmation": make_pdf(),
            "confirmation_number": "晋政承〔2024〕1号",
        },
        follow=True,
    )
    assert "已登记 2 个镇街共 4 项赋权。" in response.content.decode()
    assert set(Delegation.objects.values_list("confirmation__name", "confirmation_number")) == {
        ("承接确认书.pdf", "晋政承〔2024〕1号")
    }


def test_a_departments_item_is_delegated_one_by_one(client_as, admin, version):
    item = version.rows.get(penalty_text="电气线路不合规定的处罚").penalty_item_id
    values = {"delegation_list": "FIRE", "towns": [make_town().pk], "valid_from": "2024-12-02"}
    client_as(admin).post(url("delegate"), values)
    assert not Delegation.objects.filter(penalty_item=item).exists()
    client_as(admin).post(url("delegate"), values | {"items": [item]})
    assert Delegation.objects.filter(penalty_item=item).count() == 1


def test_the_form_is_filled_from_where_one_came(client_as, admin, town):
    delegation = town.delegations.first()
    query = {"town": town.pk, "item": delegation.penalty_item_id, "list": "FIRE"}
    form = client_as(admin).get(url("delegate"), query).context["form"]
    assert (form["towns"].value(), form["items"].value(), form["delegation_list"].value()) == (
        [str(town.pk)],
        [str(delegation.penalty_item_id)],
        "FIRE",
    )


def test_an_overlap_is_shown_in_the_form(client_as, admin, town):
    response = client_as(admin).post(
        url("delegate"), {"delegation_list": "FIRE", "towns": [town.pk], "valid_from": "2024-12-02"}
    )
    assert response.status_code == 422
    assert "与所选日期重叠" in response.content.decode()


def test_a_file_that_is_no_paper_is_refused(client_as, admin, version):
    response = client_as(admin).post(
        url("delegate"),
        {
            "delegation_list": "FIRE",
            "towns": [make_town().pk],
            "valid_from": "2024-12-02",
            "confirmation": make_pdf("确认书.pdf", b"MZ\x90"),
        },
    )
    assert response.status_code == 422
    assert "文件“确认书.pdf”不是 PDF 或图片（JPEG、PNG），未保存。" in response.content.decode()


def test_an_item_of_the_other_list_is_refused(client_as, admin, version):
    general = version.rows.get(delegation_list="GENERAL").penalty_item_id
    response = client_as(admin).post(
        url("delegate"),
        {
            "delegation_list": "FIRE",
            "towns": [make_town().pk],
            "items": [general],
            "valid_from": "2024-12-02",
        },
    )
    assert response.context["form"].errors == {"items": ["所选事项中有不属于消防行政处罚权清单的。"]}


@pytest.mark.parametrize(
    ("act", "values", "expected"),
    [
        ("end", {"valid_until": "2099-12-31"}, DelegationAct.ENDED),
        (
            "correct",
            {"delegation_list": "GENERAL", "valid_from": "2023-01-01", "reason": "误录"},
            DelegationAct.CORRECTED,
        ),
        ("withdraw", {"reason": "误登"}, DelegationAct.WITHDRAWN),
        ("confirm", {"confirmation_number": "1号"}, DelegationAct.CONFIRMED),
    ],
)
def test_a_delegation_is_changed_from_its_page(client_as, admin, town, act, values, expected):
    delegation = town.delegations.get(delegation_list="GENERAL")
    if act == "confirm":
        values = values | {"confirmation": make_pdf()}
    response = client_as(admin).post(url("change_delegation", delegation.pk, act), values)
    assert response["Location"] == history(delegation)
    assert delegation.replaced_by.act == expected


def test_a_delegation_is_prolonged_from_its_page(client_as, admin, town):
    delegation = town.delegations.first()
    delegation = end_delegation(delegation, valid_until=timezone.localdate(), actor=admin)
    client_as(admin).post(url("change_delegation", delegation.pk, "prolong"), {"valid_until": ""})
    assert delegation.replaced_by.valid_until is None


def test_a_whole_list_of_a_town_is_ended_at_once(client_as, admin, town):
    delegation = town.delegations.filter(delegation_list="FIRE").first()
    response = client_as(admin).post(
        url("change_delegation", delegation.pk, "end"),
        {"valid_until": "2099-12-31", "together": "on"},
        follow=True,
    )
    assert "英林镇：已登记终止，共 2 项。" in response.content.decode()
    ended = Delegation.objects.filter(act=DelegationAct.ENDED)
    assert set(ended.values_list("delegation_list", flat=True)) == {"FIRE"}


def test_nothing_is_offered_together_where_nothing_is_alike(client_as, admin, town):
    delegation = town.delegations.get(delegation_list="GENERAL")
    form = client_as(admin).get(url("change_delegation", delegation.pk, "end")).context["form"]
    assert list(form.fields) == ["valid_until", "reason"]


def test_a_change_of_an_entry_replaced_meanwhile_is_refused(client_as, admin, town):
    delegation = town.delegations.first()
    end_delegation(delegation, valid_until=timezone.localdate(), actor=admin)
    response = client_as(admin).post(url("change_delegation", delegation.pk, "withdraw"), {"reason": "误登"})
    assert response.status_code == 422
    assert "已被新的登记取代" in response.content.decode()


def test_an_unknown_change_is_not_found(client_as, admin, town):
    assert (
        client_as(admin).get(url("change_delegation", town.delegations.first().pk, "sell")).status_code == 404
    )


def test_a_clerk_neither_delegates_nor_changes(client_as, clerk, town):
    assert client_as(clerk).get(url("delegate")).status_code == 403
    address = url("change_delegation", town.delegations.first().pk, "end")
    assert client_as(clerk).post(address, {"valid_until": "2099-12-31"}).status_code == 403


# --- Workbooks --------------------------------------------------------------------------------------------


def test_the_export_holds_what_the_grid_shows(client_as, clerk, town):
    delegate_all(make_town("安海镇"), town.delegations.first().penalty_item.rows.first().version)
    response = client_as(clerk).get(url("delegation_export"), {"town": town.code, "listing": "FIRE"})
    book = load_workbook(io.BytesIO(response.content))
    lines = list(book.worksheets[0].values)
    assert lines[0] == ("镇街", "处罚事项", "清单", "自", "至", "确认书编号")
    assert [line[:3] for line in lines[1:]] == [
        ("英林镇", "占用疏散通道的处罚", "消防行政处罚权"),
        ("英林镇", "门窗障碍物的处罚", "消防行政处罚权"),
    ]
    assert list(book.worksheets[1].values)[1:] == [
        ("清单", "消防行政处罚权", "消防行政处罚权"),
        ("英林镇", "承接", "承接"),
    ]


def test_an_export_of_no_day_goes_back_to_the_page(client_as, clerk, town):
    response = client_as(clerk).get(url("delegation_export"), {"on": "x"})
    assert response["Location"] == f"{url('delegation_list')}?on=x"


def test_a_workbook_is_uploaded_and_shown_before_it_counts(client_as, admin, town):
    client = client_as(admin)
    upload = make_upload([["英林镇", "占用疏散通道的处罚", "消防行政处罚权", "2025-01-01", None, None]])
    response = client.post(url("delegation_import:import"), {"file": upload})
    run = ImportRun.objects.get()
    assert response["Location"] == url("delegation_import:import_run", run.pk)
    reading.read(runs.newest_job(run).pk, DELEGATIONS)
    content = client.get(response["Location"]).content.decode()
    assert "与已登记的自 2024-01-01 起的赋权重叠" in content
    assert "D3" in content
