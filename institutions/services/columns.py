"""The columns of 机构名录 as a workbook; docs/registers.md is the list for those who fill it in."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

from core.errors import DomainError
from core.registers import Column, day, decimal, many_of, one_of, text, whole, yes_no
from core.registers.columns import Kind, as_text
from departments.models import Town
from institutions.enums import (
    CreditClass,
    Feature,
    FilingState,
    FireApproval,
    InstitutionKind,
    LegalForm,
    MedicalService,
    OperatingState,
)
from institutions.services.codes import check_uscc

STATE_PAGE = "请在机构页“变更运营状态”办理，或在本表同时填写“状态变更日期”和“状态变更原因”"
PREFIX = re.compile(r"^.*[省市县区](?=.+(?:镇|乡|街道)$)")
RATINGS = {stars: f"{word}星" for stars, word in enumerate("一二三四五", start=1)}
RATING_WORDS = {
    **{str(stars): stars for stars in RATINGS},
    **{f"{stars}星": stars for stars in RATINGS},
    **{f"{word}{suffix}": stars for stars, word in enumerate("一二三四五", 1) for suffix in ("级", "星级")},
    **dict.fromkeys(("未评定", "未评", "无")),
}
KIND_WORDS = {
    "公办": InstitutionKind.PUBLIC_HOME,
    "公办养老院": InstitutionKind.PUBLIC_HOME,
    "社会福利院": InstitutionKind.PUBLIC_HOME,
    "民办": InstitutionKind.PRIVATE_HOME,
    "民办养老院": InstitutionKind.PRIVATE_HOME,
    "公建民营": InstitutionKind.PUBLIC_BUILT_PRIVATE_RUN,
    "敬老院": InstitutionKind.DESTITUTE_SUPPORT,
    "特困人员供养服务机构": InstitutionKind.DESTITUTE_SUPPORT,
    "日间照料中心": InstitutionKind.DAY_CARE,
    "日间照料室": InstitutionKind.DAY_CARE,
    "农村幸福院": InstitutionKind.RURAL_HAPPY_HOME,
    "幸福院": InstitutionKind.RURAL_HAPPY_HOME,
    "助餐点": InstitutionKind.MEAL_POINT,
    "长者食堂": InstitutionKind.MEAL_POINT,
}
FORM_WORDS = {
    "社会服务机构": LegalForm.SOCIAL_SERVICE,
    "民办非企业单位": LegalForm.SOCIAL_SERVICE,
    "民办非企业": LegalForm.SOCIAL_SERVICE,
    "民非": LegalForm.SOCIAL_SERVICE,
    "企业法人": LegalForm.COMPANY,
    "公司": LegalForm.COMPANY,
    "事业法人": LegalForm.PUBLIC_INSTITUTION,
    "事业单位法人": LegalForm.PUBLIC_INSTITUTION,
    "个体户": LegalForm.SELF_EMPLOYED,
    "村集体": LegalForm.COLLECTIVE,
    "集体": LegalForm.COLLECTIVE,
}
CREDIT_WORDS = {"A级": "A", "B级": "B", "C级": "C", "D级": "D"}
FILING_WORDS = {"是": FilingState.FILED, "否": FilingState.NOT_FILED, "不需备案": FilingState.NOT_REQUIRED}
STATE_WORDS = {
    "正常运营": OperatingState.OPERATING,
    "运营": OperatingState.OPERATING,
    "在营": OperatingState.OPERATING,
    "暂停": OperatingState.SUSPENDED,
    "停业": OperatingState.SUSPENDED,
    "终止": OperatingState.CLOSED,
    "关停": OperatingState.CLOSED,
    "注销": OperatingState.CLOSED,
}


def columns() -> list[Column]:
    """Every column of the register's workbook, in the order of template and export."""
    return [
        Column(
            "name",
            "机构名称",
            text(128),
            ("名称", "养老机构名称"),
            required=True,
            example="晋江市英林镇怡康养老院",
            width=32,
        ),
        Column(
            "uscc",
            "统一社会信用代码",
            _uscc(),
            ("信用代码", "社会信用代码", "统一信用代码"),
            example="52350582MJB000018H",
            note="校验位不符的不予导入。尚未取得的留空，系统给临时编号。",
            width=22,
        ),
        Column(
            "temporary_number",
            "临时编号",
            text(16),
            lasting=True,
            note="由系统编号，导出时带出；更新没有信用代码的机构时照填，新机构留空。",
            example="L3505820001",
        ),
        Column(
            "kind",
            "机构类型",
            one_of(_labels(InstitutionKind), aliases=KIND_WORDS),
            ("类型", "机构类别"),
            required=True,
            width=22,
        ),
        Column(
            "legal_form",
            "机构性质",
            one_of(_labels(LegalForm), aliases=FORM_WORDS),
            ("性质", "法人类型", "登记类型", "法人性质"),
        ),
        Column(
            "registered_with", "登记机关", text(64), ("登记管理机关", "法人登记机关"), example="晋江市民政局"
        ),
        Column(
            "town",
            "所属镇街",
            _towns(),
            ("镇街", "乡镇街道", "乡镇（街道）", "所属乡镇", "所在街道", "所在乡镇（街道）", "镇（街道）"),
            required=True,
            example="英林镇",
            note="可写全称或行政区划代码。",
        ),
        Column(
            "address",
            "地址",
            text(200),
            ("详细地址", "机构地址", "住所", "服务场所地址"),
            required=True,
            width=32,
        ),
        Column("longitude", "经度", decimal(9, 6), example="118.551234", note="选填，与纬度同时填写。"),
        Column("latitude", "纬度", decimal(8, 6), example="24.781234"),
        Column(
            "legal_representative",
            "法定代表人（负责人）",
            text(64),
            ("法定代表人", "法人代表", "负责人", "主要负责人"),
        ),
        Column("contact_name", "联系人", text(64), ("联系人姓名",)),
        Column(
            "contact_phone",
            "联系电话",
            text(32),
            ("电话", "联系方式", "手机号", "联系人电话"),
            example="0595-82001003",
        ),
        Column(
            "filing_state",
            "备案状态",
            one_of(_labels(FilingState), aliases=FILING_WORDS),
            ("是否备案", "备案情况"),
            lasting=True,
            example="已备案",
            note="新登记的机构必填；已备案的须有备案日期。",
        ),
        Column("filing_number", "备案编号", text(64), ("备案号", "备案回执编号", "备案文号")),
        Column("filed_on", "备案日期", day(past=True), ("备案时间",), example="2024-05-01"),
        Column("opened_on", "开业日期", day(), ("开业时间", "成立日期", "成立时间", "运营日期")),
        Column("credit_class", "信用等级", one_of(_labels(CreditClass), aliases=CREDIT_WORDS)),
        Column(
            "rating",
            "等级评定",
            one_of(RATINGS, aliases=RATING_WORDS, empty=None),
            ("等级评定（星）", "机构等级", "星级", "等级"),
            example="三星",
            note="GB/T 37276，有效期3年。",
        ),
        Column("rated_on", "等级评定日期", day(past=True), ("评定日期", "评定时间")),
        Column(
            "beds",
            "床位数",
            whole(0, 100_000),
            lasting=True,
            aliases=("核定床位", "核定床位数", "床位总数", "设置床位数", "总床位数", "床位"),
        ),
        Column("nursing_beds", "护理型床位数", whole(0, 100_000), ("护理型床位", "护理床位数", "护理床位")),
        Column(
            "residents",
            "在住老人数",
            whole(0, 100_000),
            ("入住老人数", "在院老人数", "入住人数", "收住老人数"),
            note="只要人数，不要名单。",
        ),
        Column(
            "floor_area", "建筑面积（平方米）", decimal(10, 2), ("建筑面积", "建筑面积（㎡）", "总建筑面积")
        ),
        Column(
            "features",
            "特征",
            many_of(_labels(Feature)),
            ("机构特征",),
            note="决定哪些检查事项适用于该机构。",
            width=24,
        ),
        Column(
            "fire_approval",
            "消防审验",
            one_of(_labels(FireApproval)),
            ("消防验收", "消防验收（备案）", "消防验收或备案", "消防手续"),
        ),
        Column("fire_document", "消防审验文号", text(64), ("消防文号", "消防验收文号", "消防备案号")),
        Column(
            "food_licence",
            "食品经营许可证号",
            text(64),
            ("食品经营许可证", "食品经营许可", "食品经营许可证编号"),
        ),
        Column(
            "food_licence_until",
            "食品经营许可有效期至",
            day(),
            ("食品经营许可证有效期", "食品经营许可证有效期至"),
        ),
        Column(
            "medical_service", "医疗服务方式", one_of(_labels(MedicalService)), ("医疗服务", "医疗服务形式")
        ),
        Column(
            "combines_medical", "医养结合机构", yes_no(), ("是否医养结合", "医养结合", "是否医养结合机构")
        ),
        Column("takes_insurance", "医保定点", yes_no(), ("是否医保定点", "是否纳入医保定点")),
        Column(
            "meets_safety_standard",
            "达到GB 38600",
            yes_no(),
            ("是否达到强制性国家标准", "是否符合GB 38600", "服务安全达标"),
            note="《养老机构服务安全基本规范》。",
        ),
        Column("takes_prepayment", "预收费", yes_no(), ("是否预收费", "是否收取押金或会员费")),
        Column(
            "operating_state",
            "运营状态",
            one_of(_labels(OperatingState), aliases=STATE_WORDS),
            ("经营状态", "状态"),
            lasting=True,
            note=f"与名录不同的不予导入：{STATE_PAGE}。",
        ),
        Column("state_on", "状态变更日期", day(past=True), note="只在运营状态变更时填写。"),
        Column("state_reason", "状态变更原因", text(300), note="只在运营状态变更时填写。", width=24),
    ]


def _labels(choices: Any) -> dict[str, str]:
    return dict(choices.choices)


def _uscc() -> Kind:
    def checked(said: str) -> str:
        try:
            return check_uscc(said)
        except DomainError as error:
            raise ValueError(error.message.removesuffix("。")) from None

    return replace(text(64, check=checked), says="18位，末位为校验位", empty=None)


def _towns() -> Kind:
    """A town by its name, with or without the county before it, or by its code."""
    exact = one_of(dict(Town.objects.values_list("code", "name")))

    @cache
    def read(said: str) -> str:
        try:
            return exact.parse(said)
        except ValueError:
            return exact.parse(PREFIX.sub("", said.removesuffix("人民政府").removesuffix("办事处")))

    return replace(exact, parse=lambda cell: read(as_text(cell)), says="镇街名称或行政区划代码")
