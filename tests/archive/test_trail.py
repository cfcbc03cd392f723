import csv
import io
import re
from datetime import datetime, timedelta

import pytest
from axes.models import AccessFailureLog, AccessLog
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from archive import services, trail
from archive.enums import Event
from core.digests import digest_json
from departments import services as departments
from departments.enums import Absence, Role
from departments.enums import Event as DepartmentEvent
from ledger.models import Entry
from ledger.services import Record, append_many, entries_of, verify
from tests.factories.departments import make_department, make_officer, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor():
    return make_user(None, Role.AUDITOR, name="王国栋", username="shenji")


@pytest.fixture
def admin():
    return make_user(None, Role.SYSTEM_ADMIN, name="曾素云", username="admin")


def address(room="entries"):
    return reverse("archive:trail", args=[] if room == "entries" else [room])


def said(client, query="", room="entries"):
    return client.get(f"{address(room)}?{query}")


def write(count, *, actor="user:1", kind="account.created", subject="account:1"):
    """So many entries, oldest first."""
    with transaction.atomic():
        append_many([Record(subject, kind, {}) for _ in range(count)], actor=actor)
    return list(reversed(Entry.objects.order_by("-pk")[:count]))


def shown(response):
    return [line.entry.pk for line in response.context["rows"]]


# --- What it says ------------------------------------------------------------------------


def test_changes_of_accounts_and_departments_are_read_in_words(client_as, auditor, admin):
    bureau = make_department("xiaofang")
    departments.create_account(
        actor=admin, username="lisi", name="李四", role=Role.HANDLER, department=bureau
    )
    departments.change_department(bureau, actor=admin, duties="消防监督", contact_section="防火科")
    newest, oldest = said(client_as(auditor)).context["rows"]
    assert (newest.what, newest.name, newest.person, newest.said, newest.has_page) == (
        "变更部门信息",
        "晋江市消防救援大队",
        "曾素云",
        "变更职责、业务科室",
        True,
    )
    assert (oldest.what, oldest.name, oldest.said, oldest.has_page) == (
        "建立账号",
        "李四",
        "市消防救援大队，经办",
        False,
    )


def test_an_officers_leave_is_read_without_its_reason(client_as, auditor):
    bureau = make_department("xiaofang")
    officer, keeper = make_officer(bureau), make_user(bureau, Role.DEPARTMENT_ADMIN)
    day = timezone.localdate()
    departments.go_off_duty(
        officer, Absence.LEAVE, actor=keeper, on=day, until=day + timedelta(3), reason="住院"
    )
    page = said(client_as(auditor))
    assert page.context["rows"][0].said == f"离岗，自 {day}，至 {day + timedelta(3)}"
    assert "住院" not in page.content.decode()


# --- Filters -----------------------------------------------------------------------------


@pytest.fixture
def two(admin):
    bureau = make_department("xiaofang")
    other = make_user(None, Role.SECURITY_ADMIN, name="许志远", username="anquan")
    departments.change_department(bureau, actor=admin, duties="消防监督")
    departments.create_account(actor=other, username="lisi", name="李四", role=Role.HEAD, department=bureau)
    return list(Entry.objects.order_by("pk").values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("query", "which"),
    [
        ("", [1, 0]),
        ("actor=曾素云", [0]),
        ("actor=anquan", [1]),
        ("actor=赵六", []),
        ("kind=departments", [1, 0]),
        ("kind=penalties", []),
        ("kind=account.created", [1]),
        ("subject=李四", [1]),
        ("subject=消防", [0]),
        ("subject=department:xiaofang", [0]),
        ("subject=赵六", []),
        ("since=2020-01-01&until=2020-12-31", []),
        ("since=2020-01-01", [1, 0]),
        ("kind=nonsense", []),
        ("since=yesterday", []),
        ("until=9999-12-31", []),
        ("since=0001-01-01", []),
    ],
)
def test_entries_are_found(client_as, auditor, two, query, which):
    assert shown(said(client_as(auditor), query)) == [two[number] for number in which]


def test_the_last_day_is_included(client_as, auditor, two):
    assert len(shown(said(client_as(auditor), f"until={timezone.localdate()}"))) == 2


# --- Turning pages -----------------------------------------------------------------------


def test_pages_turn_to_the_end_and_back(client_as, auditor):
    written = [entry.pk for entry in write(trail.PER_PAGE * 2 + 10)][::-1]
    client = client_as(auditor)
    first = said(client)
    second = client.get(address(), {"before": first.context["cut"].older})
    third = client.get(address(), {"before": second.context["cut"].older})
    assert shown(first) + shown(second) + shown(third) == written
    assert (first.context["cut"].newer, third.context["cut"].older) == ("", "")
    back = client.get(address(), {"after": third.context["cut"].newer})
    assert shown(back) == shown(second)
    newest = client.get(address(), {"after": back.context["cut"].newer})
    assert (shown(newest), newest.context["cut"].newer) == (shown(first), "")


def test_entries_of_one_moment_stand_on_one_page_only(client_as, auditor):
    """One call of append_many gives all its entries the same moment."""
    write(trail.PER_PAGE + 1)
    assert Entry.objects.values("at").distinct().count() == 1
    client = client_as(auditor)
    older = client.get(address(), {"before": said(client).context["cut"].older})
    assert len(shown(older)) == 1


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "~",
        "2026-01-01T00:00:00~1",
        "2026-13-01T00:00:00+00:00~1",
        "2026-01-01T00:00:00+00:00~²",
        f"~{'9' * 30}",
    ],
)
def test_an_unreadable_cursor_is_the_newest_page(client_as, auditor, cursor):
    written = write(2)
    assert shown(client_as(auditor).get(address(), {"before": cursor})) == [written[1].pk, written[0].pk]


@pytest.mark.parametrize("entries", [1, 3])
def test_trail_costs_the_same_for_any_number(client_as, auditor, entries, django_assert_num_queries):
    write(entries, actor=auditor.key, subject=auditor.subject)
    client = client_as(auditor)
    with django_assert_num_queries(12):
        client.get(address())


@pytest.mark.parametrize("chosen", [{}, {"kind": "account.created"}, {"actor": "user:1"}])
def test_a_page_is_cut_from_an_index(chosen):
    """Whatever the size of the ledger: its rows come in order from an index, and are never sorted."""
    write(300)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    plan = Entry.objects.filter(**chosen).order_by("-at", "-pk")[: trail.PER_PAGE + 1].explain()
    assert "Sort" not in plan
    assert "Index" in plan


# --- Logins ------------------------------------------------------------------------------


def test_logins_failures_and_locks_stand_in_the_trail(client, client_as, auditor):
    make_user(make_department("minzheng"), username="minzheng")
    for password in ["wrong"] * 5 + ["Test-passw0rd"]:
        client.post(reverse("departments:login"), {"username": "minzheng", "password": password})
    make_user(make_department("shichang"), username="shichang")
    client.post(reverse("departments:login"), {"username": "shichang", "password": "Test-passw0rd"})
    reader = client_as(auditor)
    failures = said(reader, room="failures").context["rows"]
    assert [(row.username, row.locked_out) for row in failures][-5:] == [
        ("minzheng", True),
        *[("minzheng", False)] * 4,
    ]
    assert [row.username for row in said(reader, room="logins").context["rows"]] == ["shenji", "shichang"]


@pytest.mark.parametrize(("query", "found"), [("q=min", 1), ("q=10.0", 1), ("q=other", 0)])
def test_logins_are_found_by_name_or_address(client_as, auditor, query, found):
    AccessLog.objects.create(username="minzheng", ip_address="10.0.0.7")
    assert len(said(client_as(auditor), query, "logins").context["rows"]) == found


@pytest.mark.parametrize("room", ["logins", "failures"])
def test_inspectorate_reads_the_steps_but_no_logins(client_as, room):
    client = client_as(make_user(None, Role.INSPECTORATE))
    assert client.get(address()).status_code == 200
    assert client.get(address(room)).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_logins_cost_the_same_for_any_number(client_as, auditor, rows, django_assert_num_queries):
    for _ in range(rows):
        AccessFailureLog.objects.create(username="minzheng", ip_address="10.0.0.7")
    client = client_as(auditor)
    with django_assert_num_queries(8):
        client.get(address("failures"))


# --- Export ------------------------------------------------------------------------------


def test_an_export_may_be_sent_again_from_the_same_page(client_as, auditor):
    page = said(client_as(auditor)).content.decode()
    address = reverse("archive:trail_export", args=["entries"])
    assert re.search(rf'<form method="post"\s+action="{address}"\s+data-download>', page)


def exported(response):
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_an_export_has_what_the_filter_finds_and_can_be_verified(client_as, auditor, two):
    response = client_as(auditor).post(
        reverse("archive:trail_export", args=["entries"]), {"kind": "account.created"}
    )
    (row,) = exported(response)
    entry = Entry.objects.get(pk=two[1])
    assert (row["对象"], row["事项代码"], row["经办人"], row["摘要"], row["前一条摘要"]) == (
        "李四",
        "account.created",
        "许志远",
        entry.digest,
        entry.previous,
    )
    assert datetime.fromisoformat(row["时间"])


def test_an_export_is_written_in_the_trail_and_not_in_itself(client_as, auditor, two):
    response = client_as(auditor).post(reverse("archive:trail_export", args=["entries"]), {"actor": "曾素云"})
    assert len(exported(response)) == 1
    entry = entries_of(auditor.subject).get()
    assert (entry.kind, entry.actor) == (Event.TRAIL_EXPORTED, auditor.key)
    assert entry.payload == {
        "what": "entries",
        "entries": 1,
        "chosen_digest": digest_json({"actor": "曾素云"}),
    }
    assert list(verify()) == []


def test_an_export_of_everything_leaves_its_own_entry_out(client_as, auditor, two):
    response = client_as(auditor).post(reverse("archive:trail_export", args=["entries"]))
    assert [row["事项代码"] for row in exported(response)] == [
        DepartmentEvent.DEPARTMENT_CHANGED,
        DepartmentEvent.CREATED,
    ]


def test_an_export_goes_on_over_its_pieces(client_as, auditor, monkeypatch):
    monkeypatch.setattr(trail, "PIECE", 2)
    write(5)
    rows = exported(client_as(auditor).post(reverse("archive:trail_export", args=["entries"])))
    assert [row["序号"] for row in rows] == ["1", "2", "3", "4", "5"]


def test_failures_are_exported_without_becoming_formulas(client_as, auditor):
    AccessFailureLog.objects.create(username="=cmd()", ip_address="10.0.0.7", locked_out=True)
    (row,) = exported(client_as(auditor).post(reverse("archive:trail_export", args=["failures"])))
    assert (row["用户名"], row["锁定"]) == ("'=cmd()", "已锁定")


def test_nobody_but_the_auditor_exports(client_as):
    inspectorate = make_user(None, Role.INSPECTORATE)
    assert client_as(inspectorate).post(reverse("archive:trail_export", args=["entries"])).status_code == 403
    with pytest.raises(PermissionDenied, match="审计管理员"):
        services.record_export("entries", actor=inspectorate, entries=1, chosen={})
