import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from departments.enums import Role
from institutions.enums import Feature, InstitutionKind
from scenarios.enums import BasisState
from scenarios.models import CheckItem, PenaltyItem
from scenarios.services.importing import import_workbook
from scenarios.services.items import edit_check_item
from scenarios.services.library import load_texts
from scenarios.services.versions import publish
from tests.factories.departments import make_user
from tests.factories.matrices import JINJIANG, TEXTS, make_admin, make_bureaus

pytestmark = pytest.mark.django_db


@pytest.fixture
def bureaus():
    return make_bureaus()


@pytest.fixture
def admin(bureaus):
    return make_admin()


@pytest.fixture
def jinjiang(admin):
    return import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin)


@pytest.fixture
def item(jinjiang) -> CheckItem:
    return CheckItem.objects.get(name="对养老机构服务协议行政检查")


def features(name: str) -> list[str]:
    return CheckItem.objects.get(name__contains=name).required_features


def test_the_jinjiang_texts_reach_every_item(jinjiang, admin):
    loaded = load_texts(TEXTS, actor=admin)
    assert (loaded.check_items, loaded.penalty_items, loaded.unknown) == (17, 27, [])
    assert not CheckItem.objects.filter(guide="").exists()
    assert not PenaltyItem.objects.filter(basis="").exists()


def test_the_jinjiang_items_concern_whom_they_can_concern(jinjiang, admin):
    load_texts(TEXTS, actor=admin)
    assert features("餐饮服务经营者") == [Feature.CANTEEN]
    assert features("特种设备") == [Feature.SPECIAL_EQUIPMENT]
    assert features("职业培训学校") == [Feature.TRAINING_SCHOOL]
    assert features("补助资金") == [Feature.SUBSIDY]
    assert features("消防安全重点单位") == [Feature.KEY_FIRE_UNIT]
    assert features("政府指导价") == []
    for name in ("土地管理法律", "违法土地使用", "环境影响报告书", "生活垃圾收集设施"):
        assert features(name) == [Feature.CONSTRUCTION]
    staffing = CheckItem.objects.get(name="对养老机构配备人员资质的行政检查")
    assert InstitutionKind.MEAL_POINT not in staffing.institution_kinds


def test_no_jinjiang_basis_claims_to_be_confirmed(jinjiang, admin):
    load_texts(TEXTS, actor=admin)
    assert set(CheckItem.objects.values_list("basis_state", flat=True)) == {BasisState.UNVERIFIED}
    repealed = PenaltyItem.objects.exclude(basis_state=BasisState.UNVERIFIED)
    assert [(item.name, item.basis_state) for item in repealed] == [
        ("养老机构擅自暂停或终止服务的处罚", BasisState.REPEALED)
    ]


def test_loading_twice_changes_nothing(jinjiang, admin):
    load_texts(TEXTS, actor=admin)
    again = load_texts(TEXTS, actor=admin)
    assert (again.check_items, again.penalty_items) == (0, 0)


def test_what_a_department_wrote_is_not_overwritten(item, admin):
    edit_check_item(item, actor=admin, guide="本局的要点")
    assert load_texts(TEXTS, actor=admin).check_items == 16
    item.refresh_from_db()
    assert item.guide == "本局的要点"
    load_texts(TEXTS, actor=admin, overwrite=True)
    item.refresh_from_db()
    assert item.guide.startswith("一、按在住名册随机抽取")


def test_texts_for_items_the_library_lacks_are_named(jinjiang, admin):
    data = {
        "check_items": [
            {"department": "民政局", "name": "没有这一项", "guide": "x"},
            {"department": "没有这个局", "name": "对养老机构服务协议行政检查", "guide": "x"},
        ],
        "penalty_items": [{"name": "没有这个处罚", "basis": "x"}],
    }
    assert load_texts(data, actor=admin).unknown == [
        "没有这一项",
        "对养老机构服务协议行政检查",
        "没有这个处罚",
    ]


def test_a_text_outside_its_choices_is_not_loaded(jinjiang, admin):
    data = {
        "check_items": [
            {"department": "民政局", "name": "对养老机构服务协议行政检查", "required_features": ["POOL"]}
        ]
    }
    with pytest.raises(ValidationError):
        load_texts(data, actor=admin)


def test_only_the_system_administrator_loads_texts(jinjiang, bureaus):
    with pytest.raises(PermissionDenied):
        load_texts(TEXTS, actor=make_user(bureaus["minzheng"], Role.HEAD))


def test_publishing_after_loading_copies_the_texts(jinjiang, admin):
    load_texts(TEXTS, actor=admin)
    version = publish(jinjiang, actor=admin)
    fire = version.items.get(department__code="xiaofang")
    assert (fire.required_features, fire.applicability) == ([Feature.KEY_FIRE_UNIT], "消防安全重点单位")
    assert version.penalties.get(penalty_item__rows__number="24").basis == "《消防法》第六十一条第二款。"


@pytest.mark.parametrize(
    ("given", "phrase"),
    [
        ({}, "全部机构"),
        ({"required_features": [Feature.CANTEEN]}, "设有食堂的机构"),
        ({"required_features": [Feature.CANTEEN, Feature.SUBSIDY]}, "设有食堂且领取补助资金的机构"),
        ({"required_features": [Feature.KEY_FIRE_UNIT]}, "消防安全重点单位"),
        ({"institution_kinds": [InstitutionKind.MEAL_POINT]}, "老年人助餐点"),
        (
            {"institution_kinds": [kind for kind in InstitutionKind if kind != InstitutionKind.MEAL_POINT]},
            "不含老年人助餐点",
        ),
        ({"institution_kinds": list(InstitutionKind)}, "全部机构"),
        (
            {"required_features": [Feature.CANTEEN], "institution_kinds": [InstitutionKind.DAY_CARE]},
            "设有食堂的机构，社区日间照料室",
        ),
    ],
)
def test_whom_an_item_concerns_is_one_phrase(given, phrase):
    assert CheckItem(**given).applicability == phrase
