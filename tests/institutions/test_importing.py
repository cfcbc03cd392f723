"""机构名录 from a workbook to the register and back."""

import io
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from core import jobs
from core.enums import ImportState
from core.registers import reading, runs, workbooks, writing
from institutions import services
from institutions.enums import Event
from institutions.models import Institution
from institutions.services.columns import columns
from institutions.services.importing import INSTITUTIONS
from institutions.services.matching import all_said
from ledger.models import Entry
from ledger.services import verify
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.institutions import USCCS, make_institution, make_keeper
from tests.factories.matrices import make_workbook

pytestmark = pytest.mark.django_db

HEADER = ["机构名称", "统一社会信用代码", "机构类型", "所属镇街", "地址", "备案状态", "备案日期", "床位数"]
HOME = ["怡康养老院", USCCS[0], "民办养老机构", "英林镇", "英龙路118号", "已备案", "2024-05-01", 80]


@pytest.fixture(autouse=True)
def yinglin(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(jobs, "enqueue", lambda job: None)
    return make_town("英林镇", "350582112")


@pytest.fixture
def keeper():
    return make_keeper()


def home(**cells):
    """The row HOME with some cells changed, by heading."""
    return [cells.get(heading, value) for heading, value in zip(HEADER, HOME, strict=True)]


def preview(keeper, *rows, header=HEADER, data=None):
    data = data or make_workbook(rows, header=header, above=())
    run = runs.begin(INSTITUTIONS, SimpleUploadedFile("名录.xlsx", data), actor=keeper)
    reading.read(runs.newest_job(run).pk, INSTITUTIONS)
    run.refresh_from_db()
    assert run.state == ImportState.READY, run.refusal
    return run


def load(keeper, *rows, leave_out=False, **options):
    run = preview(keeper, *rows, **options)
    job = runs.confirm(run, INSTITUTIONS, actor=keeper, leave_out=leave_out)
    writing.write(job.pk, INSTITUTIONS)
    run.refresh_from_db()
    assert run.state == ImportState.DONE
    return run


def faults(run):
    return {name: reason for row in run.rows.all() for name, (_, reason) in row.errors.items()}


def remarks(run):
    return run.rows.get().remarks


def entries(institution):
    return list(Entry.objects.filter(chain__subject=institution.subject).order_by("seq"))


# --- New ones --------------------------------------------------------------------------


def test_a_new_institution_is_registered_with_an_entry_like_one_typed_in(keeper, yinglin):
    run = load(keeper, home())
    institution = Institution.objects.get()
    assert (institution.name, institution.uscc, institution.town, institution.beds, institution.filed_on) == (
        "怡康养老院",
        USCCS[0],
        yinglin,
        80,
        date(2024, 5, 1),
    )
    (entry,) = entries(institution)
    assert (entry.kind, entry.actor, entry.department) == (
        Event.REGISTERED,
        keeper.key,
        "department:minzheng",
    )
    typed = services.register(
        actor=keeper,
        **{
            name: getattr(institution, name)
            for name in ("name", "kind", "town", "address", "filing_state", "filed_on", "beds")
        },
    )
    (other,) = entries(typed)
    assert set(entry.payload) == set(other.payload) | {"import"}
    assert entry.payload["digest"] == services.row_digest(institution)
    assert entry.payload["import"] == str(run.pk)
    assert list(verify()) == []


def test_the_run_has_an_entry_of_its_own(keeper):
    run = load(keeper, home())
    (entry,) = Entry.objects.filter(chain__subject="register:institutions")
    assert (entry.kind, entry.actor) == (Event.IMPORTED, keeper.key)
    assert entry.payload == {
        "import": str(run.pk),
        "file": run.file.digest,
        "digest_algorithm": run.file.algorithm,
        "new": 1,
        "changed": 0,
        "unchanged": 0,
    }


def test_what_the_workbook_does_not_say_is_blank(keeper):
    load(keeper, home())
    institution = Institution.objects.get()
    assert (institution.contact_phone, institution.residents, institution.features) == ("", None, [])
    assert (institution.rating, institution.combines_medical, institution.operating_state) == (
        None,
        None,
        "OPERATING",
    )


def test_every_column_is_written(keeper):
    header = [column.heading for column in columns()]
    said = {
        **dict(zip(HEADER, HOME, strict=True)),
        "机构性质": "民办非企业单位",
        "登记机关": "晋江市民政局",
        "经度": 118.551234,
        "纬度": "24.781234",
        "法定代表人（负责人）": "洪建设",
        "联系人": "洪秋萍",
        "联系电话": 13800001007,
        "备案编号": "晋养备〔2021〕3号",
        "开业日期": "2021年3月1日",
        "信用等级": "B级",
        "等级评定": "三级",
        "等级评定日期": "2023-09-01",
        "护理型床位数": 40,
        "在住老人数": 66,
        "建筑面积（平方米）": 4860.5,
        "特征": "设有食堂、有特种设备",
        "消防审验": "已通过消防验收",
        "消防审验文号": "晋消验〔2020〕8号",
        "食品经营许可证号": "JY33505820001234",
        "食品经营许可有效期至": "2027-01-31",
        "医疗服务方式": "内设医疗机构",
        "医养结合机构": "是",
        "医保定点": "否",
        "达到GB 38600": "是",
        "预收费": "无",
        "运营状态": "运营中",
    }
    load(keeper, [said.get(heading) for heading in header], header=header)
    (values,) = all_said(Institution.objects.all())
    values.pop("pk"), values.pop("key")
    assert values == {
        "temporary_number": None,
        "name": "怡康养老院",
        "uscc": USCCS[0],
        "kind": "PRIVATE_HOME",
        "legal_form": "SOCIAL_SERVICE",
        "registered_with": "晋江市民政局",
        "town": "350582112",
        "address": "英龙路118号",
        "longitude": "118.551234",
        "latitude": "24.781234",
        "legal_representative": "洪建设",
        "contact_name": "洪秋萍",
        "contact_phone": "13800001007",
        "filing_state": "FILED",
        "filing_number": "晋养备〔2021〕3号",
        "filed_on": "2024-05-01",
        "opened_on": "2021-03-01",
        "credit_class": "B",
        "rating": 3,
        "rated_on": "2023-09-01",
        "beds": 80,
        "nursing_beds": 40,
        "residents": 66,
        "floor_area": "4860.50",
        "features": ["CANTEEN", "SPECIAL_EQUIPMENT"],
        "fire_approval": "ACCEPTED",
        "fire_document": "晋消验〔2020〕8号",
        "food_licence": "JY33505820001234",
        "food_licence_until": "2027-01-31",
        "medical_service": "IN_HOUSE",
        "combines_medical": True,
        "takes_insurance": False,
        "meets_safety_standard": True,
        "takes_prepayment": False,
        "operating_state": "OPERATING",
    }


def test_the_provincial_systems_own_headings_are_known(keeper):
    header = [
        "序号",
        "养老机构名称",
        "社会信用代码",
        "机构类别",
        "所属乡镇",
        "详细地址",
        "是否备案",
        "备案时间",
        "床位总数",
    ]
    load(keeper, [1, *HOME[:5], "是", "2024-05-01", 80], header=header)
    assert Institution.objects.get().beds == 80


@pytest.mark.parametrize(
    "town", ["晋江市英林镇", "英林镇", "350582112", 350582112, "福建省晋江市英林镇人民政府"]
)
def test_a_town_is_known_by_name_and_code(keeper, town, yinglin):
    load(keeper, home(所属镇街=town))
    assert Institution.objects.get().town == yinglin


# --- Wrong ones -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ({"统一社会信用代码": "52350582MJB000018J"}, "uscc", "统一社会信用代码的校验位不符，请核对是否抄错"),
        (
            {"统一社会信用代码": 123505824890000134},
            "uscc",
            "以数字格式保存，超过15位的数字已失真；请把该列设为文本格式后重填",
        ),
        ({"所属镇街": "别处镇"}, "town", "应为英林镇之一"),
        ({"机构类型": "酒店"}, "kind", None),
        ({"备案日期": None}, "filed_on", "已备案的机构须填写备案日期"),
        ({"备案日期": "2999-01-01"}, "filed_on", "不能晚于今天"),
        ({"备案状态": None}, "filing_state", "新登记的机构须填写备案状态"),
        ({"床位数": -1}, "beds", "应在0至100000之间"),
        ({"床位数": "清空"}, "beds", "不能清空"),
        ({"机构名称": ""}, "name", "必填，不能为空"),
    ],
)
def test_a_wrong_cell_is_refused_with_the_reason(keeper, cells, field, reason):
    run = preview(keeper, home(**cells))
    found = faults(run)
    assert run.faulty == 1
    assert field in found
    assert reason is None or found[field] == reason


def test_more_nursing_beds_than_beds_is_an_error(keeper):
    run = preview(keeper, [*home(), 81], header=[*HEADER, "护理型床位数"])
    assert faults(run) == {"nursing_beds": "护理型床位数不能多于床位数（80张）"}


def test_a_lonely_longitude_is_an_error(keeper):
    run = preview(keeper, [*home(), 118.5], header=[*HEADER, "经度"])
    assert faults(run) == {"latitude": "经度和纬度须同时填写"}


def test_an_odd_organisation_code_is_only_a_remark(keeper):
    # A right check digit over an organisation code whose own is wrong.
    code = next(
        code for digit in "0123456789ABCDEFGHJKLMNPQRTUWXY" if _is_right(code := f"52350582MJB000017{digit}")
    )
    run = preview(keeper, home(统一社会信用代码=code))
    assert run.new == 1
    assert remarks(run) == {"uscc": "第9至17位（主体标识码）自身的校验位不符，请与登记证书核对。"}


def _is_right(code):
    try:
        return services.check_uscc(code)
    except Exception:
        return False


@pytest.mark.parametrize("code", USCCS)
def test_codes_of_the_fixtures_raise_no_doubt(code):
    assert services.doubt_about(code) == ""


# --- Found again ------------------------------------------------------------------------


def test_the_same_file_again_changes_nothing(keeper):
    load(keeper, home(), home(机构名称="无代码院", 统一社会信用代码=None))
    run = preview(keeper, home(), home(机构名称="无代码院", 统一社会信用代码=None))
    assert (run.new, run.changed, run.unchanged, run.faulty) == (0, 0, 2, 0)


def test_an_institution_is_changed_by_its_code_with_old_and_new_in_the_entry(keeper):
    institution = make_institution(uscc=USCCS[0], name="旧名", beds=60, contact_phone="13800001007")
    run = load(keeper, home())
    institution.refresh_from_db()
    assert (institution.name, institution.beds, institution.contact_phone) == (
        "怡康养老院",
        80,
        "13800001007",
    )
    (entry,) = entries(institution)
    assert entry.kind == Event.CHANGED
    assert entry.payload["values"]["beds"] == [60, 80]
    assert (entry.payload["digest"], entry.payload["import"]) == (
        services.row_digest(institution),
        str(run.pk),
    )


def test_without_a_code_an_institution_gets_a_temporary_number(keeper):
    load(keeper, home(统一社会信用代码=None), home(机构名称="另一家", 统一社会信用代码=None))
    assert list(Institution.objects.order_by("pk").values_list("uscc", "temporary_number")) == [
        (None, "L3505820001"),
        (None, "L3505820002"),
    ]


def test_it_is_found_again_by_name_and_town_and_the_preview_says_so(keeper):
    load(keeper, home(统一社会信用代码=None))
    run = preview(keeper, home(统一社会信用代码=None, 床位数=90))
    assert run.changed == 1
    assert remarks(run) == {"name": "按名称和镇街认定为名录里的 L3505820001"}


def test_it_is_found_again_by_its_temporary_number_under_another_name(keeper):
    load(keeper, home(统一社会信用代码=None))
    load(
        keeper,
        [*home(机构名称="新名", 统一社会信用代码=None), "L3505820001"],
        header=[*HEADER, "临时编号"],
    )
    assert Institution.objects.get().name == "新名"


def test_a_code_that_comes_later_is_filled_in(keeper):
    load(keeper, home(统一社会信用代码=None))
    run = load(keeper, home())
    assert Institution.objects.get().uscc == USCCS[0]
    assert remarks(run)["name"] == "按名称和镇街认定为名录里的 L3505820001，将补填统一社会信用代码"


def test_a_namesake_in_another_town_is_another_institution(keeper):
    make_institution(make_town("安海镇", "350582101"), name="怡康养老院")
    assert preview(keeper, home()).new == 1


def test_several_namesakes_need_a_number(keeper, yinglin):
    for _ in range(2):
        make_institution(yinglin, name="怡康养老院")
    assert faults(preview(keeper, home(统一社会信用代码=None)))["name"] == (
        "名录里2家机构同名同镇街，请填信用代码或临时编号"
    )


def test_an_unknown_temporary_number_is_an_error(keeper):
    run = preview(keeper, [*home(统一社会信用代码=None), "L3505829999"], header=[*HEADER, "临时编号"])
    assert faults(run) == {"temporary_number": "名录里没有这个临时编号；新机构请留空，登记时自动编号"}


def test_number_and_code_of_two_institutions_are_an_error(keeper):
    make_institution(uscc=USCCS[0], name="甲院")
    other = make_institution(name="乙院")
    run = preview(keeper, [*home(), other.temporary_number], header=[*HEADER, "临时编号"])
    assert faults(run)["temporary_number"] == "临时编号属于“乙院”，信用代码属于“甲院”；请在机构页合并"


def test_two_rows_that_lead_to_one_institution_are_double(keeper, yinglin):
    known = make_institution(yinglin, name="怡康养老院", uscc=USCCS[0])
    run = preview(keeper, home(), home(统一社会信用代码=None))
    assert run.faulty == 2
    assert known.uscc
    assert [row.errors for row in run.rows.order_by("line")] == [
        {"uscc": ["", "与第3行重复"]},
        {"name": ["", "与第2行重复"]},
    ]


def test_one_institution_with_and_without_its_code_is_an_error_of_the_row_without(keeper):
    run = preview(keeper, home(), home(统一社会信用代码=None))
    assert {row.line: row.errors for row in run.rows.exclude(errors={})} == {
        3: {"name": ["", "与第2行同名同镇街，请填信用代码或临时编号，或删去重复的行"]}
    }


def test_namesakes_with_codes_of_their_own_are_two_institutions(keeper):
    assert preview(keeper, home(), home(统一社会信用代码=USCCS[1])).new == 2


# --- Operating state ---------------------------------------------------------------------

STATES = [*HEADER, "运营状态", "状态变更日期", "状态变更原因"]


def test_a_state_does_not_change_by_the_way(keeper, yinglin):
    make_institution(yinglin, uscc=USCCS[0])
    run = preview(keeper, [*home(), "已终止", None, None], header=STATES)
    assert faults(run) == {
        "operating_state": (
            "名录里为运营中；请在机构页“变更运营状态”办理，或在本表同时填写“状态变更日期”和“状态变更原因”"
        )
    }


def test_with_day_and_reason_it_changes_through_its_own_verb(keeper, yinglin):
    institution = make_institution(yinglin, uscc=USCCS[0])
    load(keeper, [*home(), "已终止", "2025-03-01", "注销登记"], header=STATES)
    institution.refresh_from_db()
    change = institution.state_changes.get()
    assert (institution.operating_state, change.on, change.reason) == ("CLOSED", date(2025, 3, 1), "注销登记")
    assert [entry.kind for entry in entries(institution)] == [Event.CHANGED, Event.STATE_CHANGED]


def test_a_step_the_register_does_not_know_is_an_error(keeper, yinglin):
    make_institution(yinglin, uscc=USCCS[0], operating_state="CLOSED")
    run = preview(keeper, [*home(), "暂停运营", "2025-03-01", "装修"], header=STATES)
    assert faults(run) == {"operating_state": "名录里为已终止，不能改为暂停运营"}


# --- Export ----------------------------------------------------------------------------


def test_an_export_comes_back_unchanged(keeper, yinglin):
    for number, fields in enumerate(
        [
            {"uscc": USCCS[0], "floor_area": "4860.50", "rating": 3, "features": ["CANTEEN", "SUBSIDY"]},
            {"legal_form": "COMPANY", "longitude": "118.551234", "latitude": "24.781234"},
            {"operating_state": "SUSPENDED", "combines_medical": False, "opened_on": date(2020, 1, 1)},
        ]
    ):
        make_institution(yinglin, name=f"第{number}院", **fields)
    data = workbooks.export("机构名录", columns(), all_said(Institution.objects.order_by("pk")))
    assert [cell.value for cell in load_workbook(io.BytesIO(data)).active[1]] == [
        column.heading for column in columns()
    ]
    run = preview(keeper, data=data)
    assert (run.new, run.changed, run.unchanged, run.faulty) == (0, 0, 3, 0)


# --- Who ---------------------------------------------------------------------------------


def test_only_keepers_import():
    with pytest.raises(PermissionDenied):
        preview(make_user(make_department("shichang")), home())


def test_a_leaving_out_is_told_by_the_entry(keeper):
    load(keeper, home(), home(机构名称="", 统一社会信用代码=USCCS[1]), leave_out=True)
    assert Entry.objects.get(chain__subject="register:institutions").payload["left_out"] == 1
    assert Institution.objects.count() == 1


# --- Between preview and confirmation ------------------------------------------------------


def late(keeper, run):
    """Confirmed and written after something happened."""
    writing.write(runs.confirm(run, INSTITUTIONS, actor=keeper).pk, INSTITUTIONS)
    run.refresh_from_db()
    return run.state, run.refusal


def test_what_somebody_registered_meanwhile_is_not_overwritten(keeper, yinglin):
    run = preview(keeper, home())
    make_institution(yinglin, uscc=USCCS[0], beds=10)
    assert late(keeper, run) == (
        ImportState.STOPPED,
        "第2行与现在的登记不符：预览后已由他人登记。请重新上传。",
    )
    assert Institution.objects.get().beds == 10


def test_what_somebody_changed_meanwhile_is_not_overwritten(keeper, yinglin):
    institution = make_institution(yinglin, uscc=USCCS[0], beds=60)
    run = preview(keeper, home())
    services.change(institution, actor=keeper, beds=70)
    assert late(keeper, run) == (
        ImportState.STOPPED,
        "第2行与现在的登记不符：预览后已由他人变更。请重新上传。",
    )
    assert Institution.objects.get().beds == 70


def test_a_row_whose_record_is_gone_is_no_new_institution(keeper, yinglin):
    institution = make_institution(yinglin, name="怡康养老院", beds=60)
    run = preview(keeper, home(统一社会信用代码=None))
    services.change(institution, actor=keeper, name="改了名的院")
    assert late(keeper, run) == (
        ImportState.STOPPED,
        "第2行与现在的登记不符：原有的登记已不在。请重新上传。",
    )
    assert Institution.objects.count() == 1


def test_namesakes_that_came_meanwhile_stop_the_import(keeper, yinglin):
    make_institution(yinglin, name="怡康养老院", beds=60)
    run = preview(keeper, home(统一社会信用代码=None))
    make_institution(yinglin, name="怡康养老院")
    assert late(keeper, run) == (
        ImportState.STOPPED,
        "第2行与现在的登记不符：名录里2家机构同名同镇街，请填信用代码或临时编号。请重新上传。",
    )


def test_a_contradiction_that_came_meanwhile_stops_the_import(keeper, yinglin):
    institution = make_institution(yinglin, uscc=USCCS[0], beds=80, nursing_beds=10)
    run = preview(keeper, [*home()[:7], 50], header=HEADER)
    services.change(institution, actor=keeper, nursing_beds=60)
    assert late(keeper, run) == (
        ImportState.STOPPED,
        "第2行与现在的登记不符：护理型床位数不能多于床位数（50张）。请重新上传。",
    )


def test_what_a_stopped_import_wrote_has_an_entry_that_says_what_is_missing(keeper, yinglin, settings):
    settings.IMPORT_CHUNK = 2
    run = preview(keeper, home(), home(机构名称="乙院", 统一社会信用代码=USCCS[1]))
    make_institution(yinglin, uscc=USCCS[1])
    assert late(keeper, run)[0] == ImportState.STOPPED
    payload = Entry.objects.get(chain__subject="register:institutions").payload
    assert (payload["new"], payload["changed"], payload["unwritten"]) == (1, 0, 1)
