import io
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from core.enums import ImportState, Verdict
from core.registers import reading, runs, writing
from departments import services
from departments.enums import Event, Role
from departments.models import Officer, Sector, User
from departments.services.roster import OFFICERS, free_username
from departments.tasks import read_officers, write_officers
from ledger.models import Entry
from ledger.services import verify
from tests.factories.departments import make_department, make_officer, make_user
from tests.factories.matrices import make_workbook

pytestmark = pytest.mark.django_db

HEADER = ["执法证号", "姓名", "部门", "有效期自", "有效期至", "可检查条线", "用户名", "手机"]


@pytest.fixture
def bureau():
    return make_department("xiaofang")


@pytest.fixture
def admin():
    return make_user(None, Role.SYSTEM_ADMIN)


@pytest.fixture
def fire():
    return Sector.objects.create(name="消防救援")


def row(number="350582001", **cells):
    names = ("number", "name", "department", "first", "last", "sectors", "username", "phone")
    values = {
        "number": number,
        "name": "李四",
        "department": "市消防救援大队",
        "first": date(2024, 1, 1),
        "last": date(2030, 12, 31),
    } | cells
    return [values.get(name) for name in names]


def staged(actor, *rows):
    """The run as a worker has read it."""
    upload = SimpleUploadedFile("执法人员.xlsx", make_workbook(rows, header=HEADER, above=()))
    run = runs.begin(OFFICERS, upload, actor=actor)
    reading.read(runs.newest_job(run).pk, OFFICERS)
    run.refresh_from_db()
    return run


def imported(actor, *rows):
    run = staged(actor, *rows)
    writing.write(runs.confirm(run, OFFICERS, actor=actor).pk, OFFICERS)
    run.refresh_from_db()
    assert run.state == ImportState.DONE
    return run


def errors(run):
    return {name: reason for staged in run.rows.all() for name, (_, reason) in staged.errors.items()}


def test_a_new_officer_gets_an_account_nobody_can_log_in_to_yet(admin, bureau, fire):
    imported(admin, row(sectors="消防救援", phone="13800000000"))
    officer = Officer.objects.get(certificate_number="350582001")
    user = officer.user
    assert (user.username, user.name, user.phone) == ("350582001", "李四", "13800000000")
    assert (user.has_usable_password(), user.must_change_password) == (False, True)
    assert [(post.role, post.department) for post in user.posts.all()] == [(Role.OFFICER, bureau)]
    assert (officer.department, list(officer.sectors.all())) == (bureau, [fire])
    assert (officer.certified_from, officer.certified_until) == (date(2024, 1, 1), date(2030, 12, 31))


def test_every_account_and_the_import_stand_in_the_trail(admin, bureau):
    run = imported(admin, row())
    user = User.objects.get(username="350582001")
    steps = Entry.objects.filter(chain__subject=user.subject).order_by("seq")
    assert [(step.kind, step.payload["import"]) for step in steps] == [
        (Event.CREATED, str(run.pk)),
        (Event.CERTIFIED, str(run.pk)),
    ]
    whole = Entry.objects.get(chain__subject="register:officers")
    assert (whole.kind, whole.payload["import"], whole.payload["new"]) == (
        Event.OFFICERS_IMPORTED,
        str(run.pk),
        1,
    )
    assert list(verify()) == []


def test_a_known_certificate_is_updated_and_an_equal_row_changes_nothing(admin, bureau):
    imported(admin, row(), row("350582002", name="王五"))
    run = imported(admin, row(last=date(2031, 12, 31)), row("350582002", name="王五"))
    assert (run.new, run.changed, run.unchanged) == (0, 1, 1)
    assert Officer.objects.get(certificate_number="350582001").certified_until == date(2031, 12, 31)
    assert Entry.objects.filter(kind=Event.CERTIFIED).count() == 3


def test_a_blank_sector_cell_leaves_them_and_all_of_them_empties(admin, bureau, fire):
    imported(admin, row(sectors="消防救援"))
    officer = Officer.objects.get()
    imported(admin, row(last=date(2031, 12, 31)))
    assert list(officer.sectors.all()) == [fire]
    imported(admin, row(last=date(2031, 12, 31), sectors="全部"))
    assert list(officer.sectors.all()) == []


def test_an_account_that_is_no_officer_yet_becomes_one(admin, bureau):
    account = make_user(bureau, username="lisi", name="李四")
    run = imported(admin, row(username="lisi"))
    assert run.changed == 1
    assert Officer.objects.get().user == account
    assert {post.role for post in account.posts.all()} == {Role.HANDLER, Role.OFFICER}


def test_an_officer_found_by_username_gets_the_new_number(admin, bureau):
    officer = make_officer(bureau, username="lisi", name="李四")
    run = staged(admin, row("NEW1", username="lisi"))
    assert run.rows.get().remarks == {
        "certificate_number": f"按用户名找到，原证号 {officer.certificate_number}"
    }
    writing.write(runs.confirm(run, OFFICERS, actor=admin).pk, OFFICERS)
    officer.refresh_from_db()
    assert officer.certificate_number == "NEW1"


def test_a_username_that_is_free_opens_that_account(admin, bureau):
    imported(admin, row(username="li.si"))
    assert User.objects.get(officer__certificate_number="350582001").username == "li.si"


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ({"number": None}, "certificate_number", "必填"),
        ({"name": None}, "name", "必填"),
        ({"department": "市财政局"}, "department", "应为"),
        ({"last": date(2023, 1, 1)}, "certified_until", "早于有效期自"),
        ({"first": "昨天"}, "certified_from", "应为日期"),
        ({"sectors": "渔业"}, "sectors", "不认识“渔业”"),
        ({"username": "李四"}, "username", "至少3位"),
        ({"username": "other"}, "department", "没有岗位"),
    ],
)
def test_a_wrong_row_names_the_cell(admin, bureau, fire, cells, field, reason):
    make_user(make_department("shichang"), username="other", name="李四")
    run = staged(admin, row(**cells))
    assert run.faulty == 1
    assert reason in errors(run)[field]


def test_a_certificate_of_somebody_else_is_not_taken_over(admin, bureau):
    make_officer(bureau, name="王五", username="wangwu")
    number = Officer.objects.get().certificate_number
    run = staged(admin, row(number, username="lisi"))
    assert errors(run) == {
        "name": "登记的是王五，请核对；改名请在其账号页变更",
        "username": "此证号登记在账号 wangwu 名下",
    }


def test_nobody_is_moved_to_another_department_by_an_import(admin, bureau):
    officer = make_officer(make_department("shichang"), name="李四")
    run = staged(admin, row(officer.certificate_number))
    assert errors(run) == {"department": "此人登记在其他部门，调动请在其登记页变更"}


def test_a_department_admin_imports_for_the_own_department_only(bureau):
    make_department("shichang")
    keeper = make_user(bureau, Role.DEPARTMENT_ADMIN)
    run = staged(keeper, row(), row("350582002", department="市市场监管局"))
    assert errors(run) == {"department": "应为市消防救援大队之一"}
    assert dict(run.rows.values_list("line", "verdict")) == {2: Verdict.NEW, 3: Verdict.FAULTY}


def test_nobody_imports_the_own_certificate(bureau):
    keeper = make_officer(bureau, name="李四", username="lisi").user
    services.appoint(keeper, Role.DEPARTMENT_ADMIN, bureau)
    number = keeper.officer.certificate_number
    run = staged(keeper, row(number), row("350582002", username="lisi"))
    assert errors(run) == {
        "certificate_number": "是您本人的执法证，须由他人登记",
        "username": "是您本人的账号，须由他人登记",
    }


def test_aliases_of_departments_are_understood(admin, bureau):
    services.add_alias(bureau, "消防大队")
    assert staged(admin, row(department="消防 大队")).new == 1


def test_a_row_the_register_has_left_behind_stops_the_import(admin, bureau):
    run = staged(admin, row())
    make_officer(bureau, name="王五")
    Officer.objects.update(certificate_number="350582001")
    writing.write(runs.confirm(run, OFFICERS, actor=admin).pk, OFFICERS)
    run.refresh_from_db()
    assert run.state == ImportState.STOPPED
    assert (
        run.refusal == "第2行与现在的登记不符：与登记的姓名不符，请核对；改名请在其账号页变更。请重新上传。"
    )


def test_who_may_no_longer_appoint_there_writes_nothing(bureau):
    keeper = make_user(bureau, Role.DEPARTMENT_ADMIN)
    run = staged(keeper, row())
    job = runs.confirm(run, OFFICERS, actor=keeper)
    keeper.posts.all().delete()
    writing.write(job.pk, OFFICERS)
    run.refresh_from_db()
    assert run.state == ImportState.STOPPED
    assert run.refusal == "第2行没有写入：您无权授予或撤销执法人员岗位。"
    assert not Officer.objects.exists()


def test_who_may_no_longer_appoint_there_prolongs_no_certificate_either(bureau):
    officer, keeper = make_officer(bureau, name="李四"), make_user(bureau, Role.DEPARTMENT_ADMIN)
    run = staged(keeper, row(officer.certificate_number, last=date(2035, 12, 31)))
    job = runs.confirm(run, OFFICERS, actor=keeper)
    keeper.posts.all().delete()
    writing.write(job.pk, OFFICERS)
    run.refresh_from_db()
    officer.refresh_from_db()
    assert run.state == ImportState.STOPPED
    assert officer.certified_until != date(2035, 12, 31)


def test_an_account_that_became_the_actors_own_certificate_is_not_written(bureau):
    keeper = make_user(bureau, Role.DEPARTMENT_ADMIN, username="lisi", name="李四")
    other = make_officer(bureau, name="李四", username="wangwu")
    run = staged(keeper, row(other.certificate_number, last=date(2035, 12, 31)))
    Officer.objects.filter(pk=other.pk).update(user=keeper)
    writing.write(runs.confirm(run, OFFICERS, actor=keeper).pk, OFFICERS)
    run.refresh_from_db()
    assert (run.state, run.refusal) == (ImportState.STOPPED, "第2行没有写入：不能登记本人的执法证。")


def test_a_username_taken_in_other_letters_stops_at_its_line(admin, bureau):
    make_user(bureau, username="LiSi")
    run = staged(admin, row(username="lisi"))
    writing.write(runs.confirm(run, OFFICERS, actor=admin).pk, OFFICERS)
    run.refresh_from_db()
    assert (run.state, run.refusal) == (ImportState.STOPPED, "第2行没有写入：用户名“lisi”已被使用。")


def test_one_username_on_two_rows_is_an_error_on_both(admin, bureau):
    run = staged(
        admin, row(username="li.si"), row("350582002", name="王五", username="li.si"), row("350582003")
    )
    assert {staged.line: staged.errors for staged in run.rows.exclude(errors={})} == {
        2: {"username": ["", "与第3行的用户名重复"]},
        3: {"username": ["", "与第2行的用户名重复"]},
    }


def test_who_does_not_see_an_account_is_not_told_whose_it_is(bureau):
    other = make_officer(make_department("shichang"), name="王五", username="wangwu")
    keeper = make_user(bureau, Role.DEPARTMENT_ADMIN)
    run = staged(keeper, row(other.certificate_number, username="lisi"))
    assert errors(run) == {
        "name": "与登记的姓名不符，请核对；改名请在其账号页变更",
        "username": "此证号登记在另一账号名下",
        "department": "此人登记在其他部门，调动请在其登记页变更",
    }
    run = staged(keeper, row("NEW1", name="王五", username="wangwu"))
    assert run.rows.get().remarks == {"certificate_number": "按用户名找到"}


def test_an_export_has_usernames_and_phones_of_visible_accounts_only(client_as, bureau):
    make_officer(make_department("shichang"), name="王五", username="wangwu")
    make_officer(bureau, name="李四", username="lisi")
    User.objects.update(phone="13800000002")
    keeper = make_user(bureau, Role.DEPARTMENT_ADMIN)
    response = client_as(keeper).get(reverse("departments:officers_export"))
    head, *rows = load_workbook(io.BytesIO(response.content)).active.iter_rows(values_only=True)
    told = [dict(zip(head, cells, strict=True)) for cells in rows]
    assert {cells["姓名"]: (cells["用户名"], cells["手机"]) for cells in told} == {
        "王五": (None, None),
        "李四": ("lisi", "13800000002"),
    }


def test_the_workers_doors_lead_to_this_register(admin, bureau):
    run = runs.begin(
        OFFICERS,
        SimpleUploadedFile("执法人员.xlsx", make_workbook([row()], header=HEADER, above=())),
        actor=admin,
    )
    read_officers(str(runs.newest_job(run).pk))
    run.refresh_from_db()
    write_officers(str(runs.confirm(run, OFFICERS, actor=admin).pk))
    assert Officer.objects.count() == 1


@pytest.mark.parametrize(
    ("number", "username"),
    [
        ("350582001", "350582001"),
        ("闽K123456", "k123456"),
        ("闽·7", "xiaofang-7"),
        ("闽", "xiaofang"),
        ("TAKEN", "taken-2"),
    ],
)
def test_a_username_follows_from_the_certificate(bureau, number, username):
    make_user(bureau, username="taken")
    assert free_username(number, bureau) == username


def test_an_export_is_read_back_without_a_change(client_as, admin, bureau, fire):
    make_officer(bureau, name="李四").sectors.add(fire)
    make_officer(bureau, name="王五")
    response = client_as(admin).get(reverse("departments:officers_export"))
    upload = SimpleUploadedFile("执法人员.xlsx", response.content)
    run = runs.begin(OFFICERS, upload, actor=admin)
    reading.read(runs.newest_job(run).pk, OFFICERS)
    run.refresh_from_db()
    assert (run.unchanged, run.new, run.changed, run.faulty) == (2, 0, 0, 0)


def test_an_export_keeps_to_the_filter(client_as, admin, bureau):
    make_officer(bureau, name="李四")
    make_officer(make_department("shichang"), name="王五")
    response = client_as(admin).get(reverse("departments:officers_export"), {"department": "xiaofang"})
    sheet = load_workbook(io.BytesIO(response.content)).active
    assert [cells[1] for cells in sheet.iter_rows(min_row=2, values_only=True)] == ["李四"]


def test_the_document_describes_every_column(admin, bureau, fire):
    document = (Path(settings.BASE_DIR) / "docs" / "registers.md").read_text()
    table = document.split("## 执法人员")[1].split("\n\n### ")[0]
    lines = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]
    assert [(cells[0][2:], cells[1], cells[2], cells[4].rstrip(" |")) for cells in lines] == [
        (
            column.heading,
            f"`{column.name}`",
            "是" if column.required else "",
            "、".join(column.aliases),
        )
        for column in OFFICERS.columns(admin.key)
    ]
