from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.utils import timezone

from core.digests import default_algorithm, digest_text
from core.errors import DomainError
from core.models import StoredFile
from departments.enums import Role
from ledger.services import entries_of, verify
from scenarios.enums import BasisState, Event, VersionState
from scenarios.models import CheckItem, MatrixRow, PenaltyItem, ScenarioVersion
from scenarios.services.importing import import_workbook
from scenarios.services.items import edit_check_item
from scenarios.services.items import retire as retire_item
from scenarios.services.versions import baseline, discard, publish, retire
from tests.factories.departments import make_user
from tests.factories.matrices import JINJIANG, make_admin, make_bureaus, make_workbook, printed

pytestmark = pytest.mark.django_db


@pytest.fixture
def bureaus():
    return make_bureaus()


@pytest.fixture
def admin(bureaus):
    return make_admin()


@pytest.fixture
def draft(admin):
    return import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin)


@pytest.fixture
def published(draft, admin):
    return publish(draft, actor=admin)


def another(admin, check: str = "别的检查") -> ScenarioVersion:
    """A further draft of the Jinjiang scenario."""
    above = [["主题：养老服务机构基础安全监管一件事", None, None, None, "牵头部门：市民政局"]]
    return import_workbook(make_workbook([printed(check=check)], above=above), name="清单.xlsx", actor=admin)


def refused(change) -> str:
    """What the database says to a change of a frozen row."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        change()
    return str(caught.value)


def test_publishing_copies_texts_and_links_rows(draft, admin):
    item = CheckItem.objects.get(name="对养老机构服务协议行政检查")
    edit_check_item(item, actor=admin, basis="《办法》", guide="抽五份协议", required_features=["SUBSIDY"])
    version = publish(draft, actor=admin)
    copy = version.items.get(check_item=item)
    assert (copy.name, copy.basis, copy.guide) == (item.name, "《办法》", "抽五份协议")
    assert (copy.required_features, copy.department) == (["SUBSIDY"], item.department)
    assert (version.items.count(), version.penalties.count()) == (17, 27)
    assert version.rows.get(number="2").item == copy
    assert version.rows.filter(item=None).count() == version.rows.filter(penalty=None).count() == 0


def test_a_later_change_of_the_library_does_not_reach_a_published_version(published, admin):
    item = CheckItem.objects.get(name="对养老机构服务协议行政检查")
    edit_check_item(item, actor=admin, guide="改过的要点")
    assert published.items.get(check_item=item).guide == ""


def test_publishing_dates_signs_and_digests_the_version(published, admin):
    assert published.state == VersionState.PUBLISHED
    assert (published.effective_from, published.effective_until) == (timezone.localdate(), None)
    assert (published.published_by, len(published.digest)) == (admin, 64)


def test_publishing_is_recorded(published, admin):
    entry = entries_of(published.scenario.subject).last()
    assert (entry.kind, entry.actor, entry.department) == (Event.PUBLISHED, admin.key, "department:minzheng")
    assert entry.payload == {
        "version": published.pk,
        "number": 1,
        "rows": 28,
        "effective_from": timezone.localdate().isoformat(),
        "digest": published.digest,
        "algorithm": default_algorithm(),
        "file": published.source_file.digest,
    }
    assert list(verify()) == []


def test_the_first_version_may_start_on_the_day_of_its_document(draft, admin):
    assert publish(draft, actor=admin, effective_from=date(2024, 12, 2)).effective_from == date(2024, 12, 2)


def test_no_version_starts_in_the_future(draft, admin):
    with pytest.raises(DomainError, match="生效日期不能晚于今天") as caught:
        publish(draft, actor=admin, effective_from=timezone.localdate() + timedelta(days=1))
    assert caught.value.fields == {"effective_from": "不能晚于今天"}


def test_the_next_version_retires_the_one_in_force(published, admin):
    new = publish(another(admin), actor=admin)
    published.refresh_from_db()
    assert (published.state, new.state) == (VersionState.RETIRED, VersionState.PUBLISHED)
    assert published.effective_until == timezone.localdate() - timedelta(days=1)
    assert [entry.kind for entry in entries_of(new.scenario.subject)][-2:] == [Event.RETIRED, Event.PUBLISHED]


def test_the_next_version_cannot_rule_days_already_past(published, admin):
    with pytest.raises(DomainError, match="新版本只能自今日起生效"):
        publish(another(admin), actor=admin, effective_from=date(2024, 12, 2))


def test_a_version_is_published_once(published, admin):
    with pytest.raises(DomainError, match="已发布，不能变更为已发布"):
        publish(published, actor=admin)


def test_a_version_without_rows_is_not_published(draft, admin):
    draft.rows.all().delete()
    with pytest.raises(DomainError, match="这一版没有事项"):
        publish(draft, actor=admin)


@pytest.mark.parametrize(("code", "role"), [("shichang", Role.HEAD), ("minzheng", Role.OFFICER)])
def test_only_the_leads_staff_publish_and_discard(draft, bureaus, code, role):
    other = make_user(bureaus[code], role)
    with pytest.raises(PermissionDenied):
        publish(draft, actor=other)
    with pytest.raises(PermissionDenied):
        discard(draft, actor=other)
    draft.refresh_from_db()
    assert draft.is_draft


def test_publishing_asks_a_fixed_number_of_queries(admin, django_assert_max_num_queries):
    rows = [printed(number=at, check=f"检查{at}", penalty=f"处罚{at}") for at in range(150)]
    draft = import_workbook(make_workbook(rows), name="清单.xlsx", actor=admin)
    with django_assert_max_num_queries(25):
        publish(draft, actor=admin)


@pytest.mark.parametrize(
    "change",
    [
        lambda version: version.rows.update(penalty_text="改"),
        lambda version: version.rows.all()[0].delete(),
        lambda version: MatrixRow.objects.filter(version=version)._raw_delete("default"),
        lambda version: version.items.update(guide="改"),
        lambda version: version.items.create(
            check_item=CheckItem.objects.create(department=version.scenario.lead_department, name="多出来的"),
            department=version.scenario.lead_department,
            name="多出来的",
        ),
        lambda version: version.penalties.update(basis="改"),
        lambda version: ScenarioVersion.objects.filter(pk=version.pk).update(title="改"),
        lambda version: ScenarioVersion.objects.filter(pk=version.pk).update(state=VersionState.DRAFT),
        lambda version: ScenarioVersion.objects.filter(pk=version.pk).update(digest="0"),
        lambda version: ScenarioVersion.objects.filter(pk=version.pk)._raw_delete("default"),
    ],
)
def test_the_database_refuses_every_change_of_a_published_version(published, change):
    assert "已发布的版本不可更改" in refused(lambda: change(published))


def test_the_database_refuses_changes_of_a_retired_version_too(published, admin):
    publish(another(admin), actor=admin)
    assert "已发布的版本不可更改" in refused(lambda: published.rows.update(number="99"))


def test_discarding_removes_rows_file_and_items_nobody_else_uses(draft, admin):
    scenario = draft.scenario
    path, storage = draft.source_file.file.name, draft.source_file.file.storage
    discard(draft, actor=admin)
    assert not MatrixRow.objects.exists()
    assert [model.objects.count() for model in (CheckItem, PenaltyItem, StoredFile)] == [0, 0, 0]
    assert storage.exists(path)  # until the transaction holds
    assert entries_of(scenario.subject).last().kind == Event.DISCARDED


def test_discarding_deletes_the_file_on_commit(draft, admin, django_capture_on_commit_callbacks):
    path, storage = draft.source_file.file.name, draft.source_file.file.storage
    with django_capture_on_commit_callbacks(execute=True):
        discard(draft, actor=admin)
    assert not storage.exists(path)


def test_discarding_keeps_items_other_versions_use_or_somebody_wrote_on(published, admin):
    draft = another(admin)
    CheckItem.objects.filter(name="别的检查").update(guide="已写要点")
    discard(draft, actor=admin)
    assert CheckItem.objects.count() == 18
    assert published.rows.count() == 28


def test_a_published_version_is_not_discarded(published, admin):
    with pytest.raises(DomainError, match="已发布，不能废弃"):
        discard(published, actor=admin)


def test_a_draft_discarded_meanwhile_is_not_published(draft, admin):
    discard(ScenarioVersion.objects.get(pk=draft.pk), actor=admin)
    with pytest.raises(DomainError, match="这份草稿已被废弃"):
        publish(draft, actor=admin)


def test_without_a_confirmed_basis_an_item_is_unverified(published):
    assert set(published.items.values_list("basis_state", flat=True)) == {BasisState.UNVERIFIED}


def test_a_draft_that_leans_on_a_retired_item_is_not_published(draft, admin):
    retire_item(draft.rows.first().penalty_item, actor=admin)
    with pytest.raises(DomainError, match="第1行的事项已停用"):
        publish(draft, actor=admin)


# --- Out of force, and what was in force when ----------------------------------------------------------


def test_a_version_is_retired_without_a_successor(published, admin):
    today = timezone.localdate()
    retired = retire(published, actor=admin, last_day=today, reason="  文件废止 ")
    assert (retired.state, retired.effective_until, retired.retired_reason) == (
        VersionState.RETIRED,
        today,
        "文件废止",
    )
    assert not published.scenario.versions.filter(state=VersionState.PUBLISHED).exists()


def test_a_retirement_is_recorded_without_its_words(published, admin):
    retire(published, actor=admin, last_day=timezone.localdate(), reason="文件废止")
    entry = entries_of(published.scenario.subject).last()
    assert (entry.kind, entry.payload) == (
        Event.RETIRED,
        {
            "version": published.pk,
            "number": 1,
            "effective_until": timezone.localdate().isoformat(),
            "reason": digest_text("文件废止"),
        },
    )


@pytest.mark.parametrize(
    ("days", "reason", "message", "fields"),
    [
        (1, "文件废止", "最后一天不能晚于今天", {"last_day": "不能晚于今天"}),
        (0, "  ", "请填写停用原因", {"reason": "请填写停用原因。"}),
    ],
)
def test_a_retirement_needs_a_reason_and_a_day_that_came(published, admin, days, reason, message, fields):
    with pytest.raises(DomainError, match=message) as caught:
        retire(published, actor=admin, last_day=timezone.localdate() + timedelta(days=days), reason=reason)
    assert caught.value.fields == fields


def test_a_version_is_not_retired_before_it_began(published, admin):
    with pytest.raises(DomainError, match="最后一天不能更早"):
        retire(published, actor=admin, last_day=published.effective_from - timedelta(days=1), reason="废止")


def test_a_draft_is_not_retired(draft, admin):
    with pytest.raises(DomainError, match="草稿，不能变更为已停用"):
        retire(draft, actor=admin, last_day=timezone.localdate(), reason="废止")


def test_only_the_leads_staff_retire(published, bureaus):
    with pytest.raises(PermissionDenied):
        retire(
            published, actor=make_user(bureaus["shichang"], Role.HEAD), last_day=date.today(), reason="废止"
        )


def test_the_database_keeps_why_and_when_a_version_was_retired(published, admin):
    retire(published, actor=admin, last_day=timezone.localdate(), reason="文件废止")
    version = ScenarioVersion.objects.filter(pk=published.pk)
    assert "已发布的版本不可更改" in refused(lambda: version.update(retired_reason="另有原因"))
    assert "已发布的版本不可更改" in refused(lambda: version.update(effective_until=None))


def test_the_version_in_force_on_any_past_day_is_found(draft, admin):
    first = publish(draft, actor=admin, effective_from=date(2024, 12, 2))
    second = publish(another(admin), actor=admin)
    today = timezone.localdate()
    retire(second, actor=admin, last_day=today, reason="废止")
    ruled = {
        day: first.scenario.versions.in_force(day).first()
        for day in (
            date(2024, 12, 1),
            date(2024, 12, 2),
            today - timedelta(days=1),
            today,
            today + timedelta(days=1),
        )
    }
    assert list(ruled.values()) == [None, first, first, second, None]


def test_a_new_version_never_rules_a_day_another_ruled(draft, admin):
    first = publish(draft, actor=admin, effective_from=date(2024, 12, 2))
    retire(first, actor=admin, last_day=date(2025, 6, 30), reason="废止")
    new = another(admin)
    with pytest.raises(DomainError, match="第1版施行至 2025-06-30，新版本只能自次日起生效") as caught:
        publish(new, actor=admin, effective_from=date(2025, 6, 30))
    assert caught.value.fields == {"effective_from": "须晚于 2025-06-30"}
    assert publish(new, actor=admin, effective_from=date(2025, 7, 1)).effective_from == date(2025, 7, 1)


def test_a_draft_is_compared_with_what_is_in_force_and_a_version_with_what_it_followed(published, admin):
    draft = another(admin)
    assert (baseline(published), baseline(draft)) == (None, published)
    second = publish(draft, actor=admin)
    assert (baseline(second), baseline(another(admin, "又一检查"))) == (published, second)


def test_after_a_retirement_a_draft_is_compared_with_the_last_that_was_in_force(published, admin):
    retire(published, actor=admin, last_day=timezone.localdate(), reason="废止")
    assert baseline(another(admin)) == published
