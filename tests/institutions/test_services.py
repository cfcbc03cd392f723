import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied

from core.errors import DomainError
from departments.enums import Role
from departments.models import Town
from institutions import services
from institutions.enums import Event, InstitutionKind, OperatingState
from institutions.models import Institution
from ledger.models import Entry
from ledger.services import verify
from tests.factories.departments import make_department, make_officer, make_town, make_user
from tests.factories.institutions import USCCS, make_institution, make_keeper

pytestmark = pytest.mark.django_db

TODAY = date.today()


@pytest.fixture
def keeper():
    return make_keeper()


def fields(**given):
    values = {
        "name": "怡康养老院",
        "kind": "PRIVATE_HOME",
        "town": make_town(),
        "address": "英龙路118号",
        "filing_state": "FILED",
        "filed_on": date(2024, 5, 1),
    }
    return values | given


def entries(institution):
    return list(Entry.objects.filter(chain__subject=institution.subject).order_by("seq"))


# --- The code --------------------------------------------------------------------


@pytest.mark.parametrize("code", [*USCCS, "91110000600037341L", "11341600MB1543234K"])
def test_code_with_the_right_check_digit_is_taken(code):
    assert services.check_uscc(code) == code


@pytest.mark.parametrize(
    "written",
    [
        "52350582mjb000018h",
        " 52350582 MJB000018H ",
        "52350582-MJB000018-H",
        "５２３５０５８２ＭＪＢ００００１８Ｈ",
    ],
    ids=["lower", "spaces", "hyphens", "full width"],
)
def test_code_is_brought_to_its_written_form(written):
    assert services.check_uscc(written) == "52350582MJB000018H"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("52350582MJB000018J", "统一社会信用代码的校验位不符，请核对是否抄错。"),
        ("52350582MJB000O18H", "统一社会信用代码第15位“O”有误：只用数字和字母，不用 I、O、S、V、Z。"),
        ("5235058 2MJB000018", "统一社会信用代码应为18位，现为17位。"),
        ("52350582MJB000018HH", "统一社会信用代码应为18位，现为19位。"),
        ("52A50582MJB000018H", "统一社会信用代码第3至8位应为6位行政区划代码。"),
    ],
)
def test_wrong_code_says_what_is_wrong(code, sentence):
    with pytest.raises(DomainError) as refused:
        services.check_uscc(code)
    assert refused.value.fields == {"uscc": sentence}


def test_two_digits_swapped_are_noticed():
    code = "52350582MJB000018H"
    swapped = code[:14] + code[15] + code[14] + code[16:]
    assert swapped != code
    with pytest.raises(DomainError, match="校验位"):
        services.check_uscc(swapped)


# --- Registering ------------------------------------------------------------------


def test_registered_institution_is_noted_on_its_chain(keeper):
    institution = services.register(actor=keeper, **fields(uscc=USCCS[0], beds=80, features=["CANTEEN"]))
    (entry,) = entries(institution)
    assert (entry.kind, entry.actor, entry.department) == (
        Event.REGISTERED,
        keeper.key,
        "department:minzheng",
    )
    assert entry.payload == {
        "institution": str(institution.key),
        "uscc": USCCS[0],
        "kind": "PRIVATE_HOME",
        "legal_form": "",
        "town": institution.town.code,
        "longitude": None,
        "latitude": None,
        "filing_state": "FILED",
        "filed_on": "2024-05-01",
        "opened_on": None,
        "credit_class": "",
        "rating": None,
        "rated_on": None,
        "beds": 80,
        "nursing_beds": None,
        "residents": None,
        "floor_area": None,
        "features": ["CANTEEN"],
        "fire_approval": "",
        "food_licence_until": None,
        "medical_service": "",
        "combines_medical": None,
        "takes_insurance": None,
        "meets_safety_standard": None,
        "takes_prepayment": None,
        "operating_state": "OPERATING",
        "digest": services.row_digest(institution),
    }


def test_no_person_stands_in_the_ledger(keeper):
    personal = {"contact_name": "洪秋萍", "contact_phone": "13800001007", "legal_representative": "洪建设"}
    institution = services.register(actor=keeper, **fields(**personal))
    services.change(institution, actor=keeper, contact_name="许文生", contact_phone="13800001014")
    written = json.dumps([entry.payload for entry in entries(institution)], ensure_ascii=False)
    assert [value for value in (*personal.values(), "许文生", "13800001014") if value in written] == []


def test_row_still_matches_its_digest_after_the_persons_are_erased(keeper):
    institution = services.register(actor=keeper, **fields(contact_name="洪秋萍"))
    Institution.objects.filter(pk=institution.pk).update(contact_name="")
    institution.refresh_from_db()
    assert entries(institution)[-1].payload["digest"] == services.row_digest(institution)


def test_institution_without_a_code_has_a_key(keeper):
    institution = services.register(actor=keeper, **fields(uscc=""))
    assert institution.uscc is None
    assert institution.subject == f"institution:{institution.key}"


def test_two_institutions_without_a_code_are_no_conflict(keeper):
    services.register(actor=keeper, **fields(uscc=""))
    services.register(actor=keeper, **fields(uscc="", name="另一家"))
    assert Institution.objects.filter(uscc=None).count() == 2


def test_taken_code_names_the_institution_that_has_it(keeper):
    make_institution(name="先登记的养老院", uscc=USCCS[0])
    with pytest.raises(DomainError) as refused:
        services.register(actor=keeper, **fields(uscc=USCCS[0]))
    assert refused.value.fields == {"uscc": f"统一社会信用代码 {USCCS[0]} 已由“先登记的养老院”登记。"}
    assert Institution.objects.count() == 1


def test_a_code_registered_in_the_same_moment_is_refused_beside_its_field(keeper, monkeypatch):
    save = Institution.save

    def late(institution, **options):
        monkeypatch.setattr(Institution, "save", save)
        make_institution(uscc=USCCS[0])
        save(institution, **options)

    monkeypatch.setattr(Institution, "save", late)
    with pytest.raises(DomainError, match="刚被其他机构登记") as refused:
        services.register(actor=keeper, **fields(uscc=USCCS[0]))
    assert list(refused.value.fields) == ["uscc"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"filed_on": None}, "filed_on"),
        ({"filed_on": TODAY + timedelta(days=1)}, "filed_on"),
        ({"kind": "HOTEL"}, "kind"),
        ({"name": ""}, "name"),
        ({"name": "长" * 129}, "name"),
        ({"beds": -1}, "beds"),
        ({"rating": 6}, "rating"),
        ({"rating": 0}, "rating"),
        ({"features": ["POOL"]}, "features"),
        ({"credit_class": "E"}, "credit_class"),
        ({"opened_on": "yesterday"}, "opened_on"),
        ({"floor_area": Decimal("-1")}, "floor_area"),
    ],
)
def test_wrong_value_names_its_field(keeper, given, field):
    with pytest.raises(DomainError) as refused:
        services.register(actor=keeper, **fields(**given))
    assert list(refused.value.fields) == [field]
    assert not Institution.objects.exists()


def test_features_are_kept_once_and_in_order(keeper):
    institution = services.register(actor=keeper, **fields(features=["SUBSIDY", "CANTEEN", "SUBSIDY"]))
    assert institution.features == ["CANTEEN", "SUBSIDY"]


def test_field_the_register_does_not_have_is_a_mistake_of_the_caller(keeper):
    with pytest.raises(TypeError, match="colour"):
        services.register(actor=keeper, **fields(colour="blue"))


@pytest.mark.parametrize(
    ("department", "role"),
    [("minzheng", Role.HANDLER), ("minzheng", Role.DEPARTMENT_ADMIN), (None, Role.SYSTEM_ADMIN)],
)
def test_keeper_may_register(department, role):
    actor = make_user(make_department(department) if department else None, role)
    assert services.register(actor=actor, **fields()).pk


@pytest.mark.parametrize(
    ("department", "role"),
    [
        ("minzheng", Role.OFFICER),
        ("shichang", Role.HANDLER),
        ("shichang", Role.DEPARTMENT_ADMIN),
        (None, Role.AUDITOR),
        (None, Role.INSPECTORATE),
    ],
)
def test_others_may_not_register(department, role):
    actor = make_user(make_department(department) if department else None, role)
    with pytest.raises(PermissionDenied):
        services.register(actor=actor, **fields())


# --- Changing ----------------------------------------------------------------------


def test_change_is_noted_with_old_and_new(keeper):
    institution = make_institution(beds=80, name="旧名")
    services.change(institution, actor=keeper, beds=120, name="新名", contact_phone="13800001007")
    (entry,) = entries(institution)
    institution.refresh_from_db()
    assert (institution.beds, institution.name, institution.contact_phone) == (120, "新名", "13800001007")
    assert entry.payload == {
        "changed": ["name", "beds", "contact_phone"],
        "values": {"beds": [80, 120]},
        "digest": services.row_digest(institution),
    }


def test_change_of_nothing_leaves_no_entry(keeper):
    institution = make_institution(beds=80)
    services.change(institution, actor=keeper, beds=80, name=institution.name)
    assert entries(institution) == []


def test_code_given_later_is_checked(keeper):
    institution = make_institution()
    with pytest.raises(DomainError, match="校验位"):
        services.change(institution, actor=keeper, uscc="52350582MJB000018J")
    institution.refresh_from_db()
    assert institution.uscc is None


def test_change_to_a_taken_code_is_refused(keeper):
    make_institution(name="先登记的养老院", uscc=USCCS[0])
    institution = make_institution()
    with pytest.raises(DomainError, match="先登记的养老院"):
        services.change(institution, actor=keeper, uscc=USCCS[0])


def test_stale_copy_does_not_undo_another_change(keeper):
    institution = make_institution(beds=80)
    stale = Institution.objects.get(pk=institution.pk)
    services.change(institution, actor=keeper, beds=100)
    services.change(stale, actor=keeper, address="新路2号")
    stale.refresh_from_db()
    assert (stale.beds, stale.address) == (100, "新路2号")


def test_bureau_may_not_change(keeper):
    institution = make_institution()
    with pytest.raises(PermissionDenied):
        services.change(institution, actor=make_user(make_department("xiaofang")), beds=1)


def test_operating_state_has_its_own_verb(keeper):
    with pytest.raises(TypeError):
        services.change(make_institution(), actor=keeper, operating_state="CLOSED")


# --- Operating state --------------------------------------------------------------


def test_suspension_is_noted_with_its_day_and_the_reasons_digest(keeper):
    institution = make_institution()
    services.set_operating_state(
        institution, OperatingState.SUSPENDED, actor=keeper, reason="消防改造", on=date(2025, 3, 1)
    )
    (entry,) = entries(institution)
    assert entry.kind == Event.STATE_CHANGED
    assert {name: entry.payload[name] for name in ("from", "to", "on")} == {
        "from": "OPERATING",
        "to": "SUSPENDED",
        "on": "2025-03-01",
    }
    assert "消防改造" not in json.dumps(entry.payload, ensure_ascii=False)
    change = institution.state_changes.get()
    assert (change.reason, change.changed_by, change.on) == ("消防改造", keeper, date(2025, 3, 1))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("OPERATING", "SUSPENDED"),
        ("OPERATING", "CLOSED"),
        ("SUSPENDED", "OPERATING"),
        ("SUSPENDED", "CLOSED"),
        ("CLOSED", "OPERATING"),
    ],
)
def test_state_may_step(keeper, before, after):
    institution = make_institution(operating_state=before)
    services.set_operating_state(institution, after, actor=keeper, reason="核实")
    institution.refresh_from_db()
    assert institution.operating_state == after


@pytest.mark.parametrize(
    ("before", "after"),
    [("OPERATING", "OPERATING"), ("SUSPENDED", "SUSPENDED"), ("CLOSED", "SUSPENDED"), ("CLOSED", "CLOSED")],
)
def test_state_may_not_step(keeper, before, after):
    institution = make_institution(operating_state=before)
    with pytest.raises(DomainError, match="不能改为"):
        services.set_operating_state(institution, after, actor=keeper, reason="核实")
    assert entries(institution) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [({"reason": "  "}, "reason"), ({"reason": "核实", "on": TODAY + timedelta(days=1)}, "on")],
)
def test_state_needs_a_reason_and_a_day_that_has_come(keeper, given, field):
    with pytest.raises(DomainError) as refused:
        services.set_operating_state(make_institution(), "CLOSED", actor=keeper, **given)
    assert list(refused.value.fields) == [field]


def test_bureau_may_not_close():
    with pytest.raises(PermissionDenied):
        services.set_operating_state(
            make_institution(), "CLOSED", actor=make_user(make_department("xiaofang")), reason="核实"
        )


# --- Loading -------------------------------------------------------------------------


@pytest.fixture
def demo_records():
    return json.loads((settings.BASE_DIR / "fixtures/institutions.json").read_text())


@pytest.fixture
def towns():
    for entry in json.loads((settings.BASE_DIR / "fixtures/towns.json").read_text()):
        Town.objects.create(code=entry["code"], name=entry["name"])


def test_loading_twice_registers_once(keeper, demo_records, towns):
    assert len(services.load(demo_records, actor=keeper)) == 60
    assert services.load(demo_records, actor=keeper) == []
    assert Institution.objects.count() == 60
    assert list(verify()) == []


def test_loading_again_keeps_what_people_changed(keeper, demo_records, towns):
    services.load(demo_records, actor=keeper)
    home = Institution.objects.get(name="晋江市英林镇怡康养老院")
    services.change(home, actor=keeper, beds=300, name="怡康颐养院")
    services.load(demo_records, actor=keeper)
    home.refresh_from_db()
    assert (home.beds, home.name, Institution.objects.count()) == (300, "怡康颐养院", 60)


def test_demo_covers_every_town_kind_and_feature(keeper, demo_records, towns):
    services.load(demo_records, actor=keeper)
    assert set(Institution.objects.values_list("town__code", flat=True)) == {
        t.code for t in Town.objects.all()
    }
    assert set(Institution.objects.values_list("kind", flat=True)) == set(InstitutionKind.values)
    assert Institution.objects.filter(town__name="英林镇").count() >= 3
    home = Institution.objects.get(name="晋江市英林镇怡康养老院")
    assert set(home.features) == {"CANTEEN", "SPECIAL_EQUIPMENT", "CONSTRUCTION", "KEY_FIRE_UNIT", "SUBSIDY"}


def test_loading_stands_or_falls_whole(keeper, demo_records, towns):
    demo_records[5]["uscc"] = "52350582MJB000018J"
    with pytest.raises(DomainError, match="校验位"):
        services.load(demo_records, actor=keeper)
    assert not Institution.objects.exists()


# --- Recusals ------------------------------------------------------------------------


@pytest.fixture
def officer():
    return make_officer(make_department("xiaofang"))


def test_officer_recuses_in_person(officer):
    institution = make_institution()
    recusal = services.recuse(officer, institution, actor=officer.user, reason="近亲属任职")
    assert recusal.reason == "近亲属任职"
    (entry,) = entries(institution)
    assert (entry.kind, entry.payload["officer"]) == (Event.RECUSED, officer.key)
    assert "近亲属" not in json.dumps(entry.payload, ensure_ascii=False)


def test_recusal_said_twice_stands_once(officer):
    institution = make_institution()
    for _ in range(2):
        services.recuse(officer, institution, actor=officer.user, reason="近亲属任职")
    assert institution.recusals.count() == 1
    assert len(entries(institution)) == 1


def test_department_admin_recuses_the_own_officers(officer):
    actor = make_user(make_department("xiaofang"), Role.DEPARTMENT_ADMIN)
    assert services.recuse(officer, make_institution(), actor=actor, reason="近亲属任职").pk


@pytest.mark.parametrize(
    ("department", "role"),
    [("xiaofang", Role.HANDLER), ("shichang", Role.DEPARTMENT_ADMIN), (None, Role.SYSTEM_ADMIN)],
)
def test_others_may_not_recuse(officer, department, role):
    actor = make_user(make_department(department) if department else None, role)
    with pytest.raises(PermissionDenied):
        services.recuse(officer, make_institution(), actor=actor, reason="近亲属任职")


def test_recusal_needs_a_reason(officer):
    with pytest.raises(DomainError, match="事由"):
        services.recuse(officer, make_institution(), actor=officer.user, reason=" ")


def test_recusal_ends_and_the_ledger_keeps_it(officer):
    institution = make_institution()
    recusal = services.recuse(officer, institution, actor=officer.user, reason="近亲属任职")
    services.end_recusal(recusal, actor=officer.user)
    assert not institution.recusals.exists()
    assert [entry.kind for entry in entries(institution)] == [Event.RECUSED, Event.RECUSAL_ENDED]
