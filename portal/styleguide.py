"""Every part of a page, shown once with made-up data (docs/components.md)."""

from datetime import timedelta
from types import SimpleNamespace

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils import timezone

from core.forms import DayField
from core.lists import ListPage
from departments.access import signed_in

TOWNS = [("yinglin", "英林镇"), ("anhai", "安海镇"), ("chendai", "陈埭镇")]
DIGEST = "9f2c41d07be35a86c1f4e2a90b7d6358e4419cf02a7b8d15663fe09ac2d1b74e"


class FilterForm(forms.Form):
    q = forms.CharField(label="名称或信用代码", required=False)
    town = forms.ChoiceField(label="镇街", required=False, choices=[("", "全部"), *TOWNS])
    due = DayField(
        label="到期不晚于",
        required=False,
    )
    late = forms.BooleanField(label="只看超期", required=False)


class SampleForm(forms.Form):
    name = forms.CharField(label="检查名称", max_length=60)
    deadline = DayField(
        label="勾选截止日期",
        help_text="各部门须在当日24时前勾选。",
    )
    town = forms.ChoiceField(label="镇街", required=False, choices=[("", "全部镇街"), *TOWNS])
    kind = forms.ChoiceField(
        label="检查方式",
        choices=[("random", "双随机"), ("special", "专项检查")],
        widget=forms.RadioSelect,
    )
    departments = forms.MultipleChoiceField(
        label="参与部门",
        choices=[
            ("minzheng", "市民政局"),
            ("xiaofang", "市消防救援大队"),
            ("shichang", "市市场监管局"),
        ],
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(label="说明", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    attachment = forms.FileField(label="附件", required=False, help_text="xlsx 或 pdf，20 MB 以内。")
    notify = forms.BooleanField(label="发布后通知各部门", required=False)


def rows() -> list[dict]:
    today = timezone.localdate()
    return [
        {
            "name": "晋江市英林镇嘉颐养老院",
            "code": "52350582MJB8120475",
            "town": "英林镇",
            "beds": 186,
            "state": ("OPERATING", "运营中"),
            "due": today + timedelta(days=9),
        },
        {
            "name": "晋江市安海镇西安社区居家养老服务照料中心（含老年人助餐点及日间托养服务）",
            "code": "",
            "town": "安海镇",
            "beds": 24,
            "state": ("SUSPENDED", "暂停运营"),
            "due": today,
        },
        {
            "name": "晋江市陈埭镇敬老院",
            "code": "12350582489312706X",
            "town": "陈埭镇",
            "beds": 60,
            "state": ("CLOSED", "已终止"),
            "due": today - timedelta(days=6),
        },
    ]


def matrix() -> dict:
    head = [
        "序号",
        "一件事情形",
        "条线",
        "对应的行政检查事项名称",
        "实施部门",
        "对应的行政处罚事项名称",
        "实施部门",
    ]
    fire = "对消防安全的监管"
    return {
        "title_row": [
            {"text": "主题：养老服务机构基础安全监管一件事", "colspan": 4},
            {"text": "牵头部门：市民政局", "colspan": 3},
        ],
        "header": [[{"text": text} for text in head]],
        "rows": [
            [
                {"text": "20", "align": "center"},
                {"text": fire, "rowspan": 3},
                {"text": "消防", "rowspan": 3, "align": "center"},
                {"text": "对单位履行法定消防安全职责情况的监督检查", "rowspan": 3},
                {"text": "市消防救援大队", "rowspan": 3, "align": "center"},
                {"text": "对占用、堵塞、封闭疏散通道、安全出口等行为的处罚"},
                {"text": "承接行政处罚权的乡镇（街道）", "align": "center"},
            ],
            [
                {"text": "21", "align": "center"},
                {
                    "text": "对消防设施、器材未保持完好有效的处罚",
                    "tone": "warning",
                    "note": "法律依据待核",
                },
                {"text": "承接行政处罚权的乡镇（街道）", "align": "center"},
            ],
            [
                {"text": "28", "align": "center"},
                {
                    "text": "对不及时消除火灾隐患的处罚",
                    "chips": [{"value": "TICKED", "label": "已勾选"}],
                },
                {"text": "市消防救援大队", "align": "center"},
            ],
        ],
    }


def tick_rows() -> list[dict]:
    now = timezone.now()
    return [
        {
            "department": "市民政局",
            "state": "TICKED",
            "label": "已勾选",
            "done": 5,
            "total": 5,
            "at": now,
            "mine": True,
        },
        {
            "department": "市消防救援大队",
            "state": "TICKING",
            "label": "勾选中",
            "done": 1,
            "total": 3,
        },
        {
            "department": "市生态环境局",
            "state": "DECLINED",
            "label": "不参加",
            "done": 0,
            "total": 0,
            "at": now - timedelta(hours=5),
            "note": "本季度已单独检查。",
        },
        {
            "department": "市城管局",
            "state": "SILENT",
            "label": "未答复",
            "done": 0,
            "total": 2,
        },
    ]


def events() -> list[dict]:
    now = timezone.now()
    return [
        {
            "when": now,
            "title": "移送英林镇",
            "actor": "市消防救援大队 陈建明",
            "body": "占用疏散通道，按赋权清单由镇街处罚。",
            "tone": "warning",
            "digest": DIGEST,
            "url": "#timeline",
        },
        {
            "when": now - timedelta(hours=2),
            "title": "提交检查表",
            "actor": "市民政局 王丽华",
            "tone": "success",
            "digest": DIGEST,
        },
        {"when": now - timedelta(days=3), "title": "抽取执法人员", "actor": "系统"},
    ]


def photos() -> list[dict]:
    picture = static("img/mark.svg")
    taken = {"by": "陈建明", "taken_at": timezone.now(), "digest": DIGEST}
    return [
        {
            "url": picture,
            "thumbnail_url": picture,
            "name": "疏散通道.jpg",
            "note": "二层疏散通道堆放杂物",
            **taken,
        },
        {"url": picture, "thumbnail_url": picture, "name": "灭火器.jpg", **taken},
        {"url": picture, "name": "现场检查笔录.pdf", "size": 482_133, **taken},
    ]


@signed_in
def styleguide(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    invalid = SampleForm({"name": "", "departments": ["minzheng"]})
    numbers = Paginator(range(1, 129), 20).get_page(request.GET.get("page") or 2)
    context = {
        "digest": DIGEST,
        "now": timezone.now(),
        "soon": today + timedelta(days=2),
        "later": today + timedelta(days=20),
        "today": today,
        "past": today - timedelta(days=5),
        "expired": today - timedelta(days=12),
        "filter_form": FilterForm(request.GET),
        "form": SampleForm(),
        "invalid": invalid,
        "rows": rows(),
        "listing": ListPage(numbers, request.GET.get("sort", "name")),
        "matrix": matrix(),
        "ticks": tick_rows(),
        "events": events(),
        "files": photos(),
        "job": SimpleNamespace(
            state="RUNNING",
            get_state_display="进行中",
            done=812,
            total=3000,
            is_active=False,
        ),
        "tabs": [
            {"label": "概况", "url": "?tab=1", "active": True},
            {"label": "检查记录", "url": "?tab=2", "count": 12},
            {"label": "全过程留痕", "url": "?tab=3"},
        ],
        "steps": [
            {"label": "发起", "state": "done", "note": "2025-03-01"},
            {"label": "审批", "state": "done", "note": "2025-03-02"},
            {"label": "勾选", "state": "current", "note": "4 / 7 个部门"},
            {"label": "抽取", "state": "todo"},
            {"label": "检查", "state": "todo"},
        ],
        "verdicts": [
            ("yes", "符合", "success"),
            ("no", "不符合", "danger"),
            ("na", "不适用", "neutral"),
        ],
        "coverage": [
            {"label": "英林镇", "value": 12},
            {"label": "安海镇", "value": 9},
            {"label": "陈埭镇", "value": 4},
        ],
        "closure": [
            {"label": "已整改", "value": 34, "tone": "success"},
            {"label": "整改中", "value": 11, "tone": "warning"},
            {"label": "超期", "value": 3, "tone": "danger"},
        ],
        "extra": {"scope": "all"},
    }
    return render(request, "portal/styleguide.html", context)
