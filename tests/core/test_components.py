import re
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.template import engines
from django.test import RequestFactory
from django.utils import timezone

from core.enums import JobState
from core.templatetags.words import describe_deadline

FRIDAY = date(2025, 3, 7)
NASTY = '<b onclick="x">&"'
ESCAPED = "&lt;b onclick=&quot;x&quot;&gt;&amp;&quot;"


def render(source: str, query: str = "", **context) -> str:
    """The markup, its white space folded."""
    request = RequestFactory().get(f"/list/{query}")
    html = engines["django"].from_string("{% load components %}" + source).render(context, request)
    return re.sub(r"\s+", " ", html).replace("> <", "><")


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).strip()


# --- Deadlines --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "today", "expected"),
    [
        (date(2025, 3, 12), FRIDAY, ("还剩3个工作日", "neutral")),
        (date(2025, 3, 11), FRIDAY, ("还剩2个工作日", "warning")),
        (date(2025, 3, 10), FRIDAY, ("还剩1个工作日", "warning")),
        (FRIDAY, FRIDAY, ("今天到期", "warning")),
        (date(2025, 3, 5), FRIDAY, ("超期2个工作日", "danger")),
        (date(2025, 3, 8), FRIDAY, ("还剩不足1个工作日", "warning")),
        (FRIDAY, date(2025, 3, 9), ("已超期", "danger")),
        (date(2025, 1, 27), date(2025, 2, 5), ("超期1个工作日", "danger")),
    ],
    ids=[
        "three",
        "two",
        "one",
        "today",
        "late",
        "due on saturday",
        "late over a weekend",
        "late over Spring Festival",
    ],
)
def test_deadline_counts_working_days(due, today, expected):
    assert describe_deadline(due, today) == expected


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (FRIDAY, ("按期完成", "success")),
        (date(2025, 3, 8), ("超期完成", "danger")),
        (date(2025, 3, 11), ("超期2个工作日完成", "danger")),
    ],
)
def test_deadline_of_finished_work_says_whether_it_was_in_time(done, expected):
    assert describe_deadline(FRIDAY, date(2025, 6, 1), done) == expected


def test_deadline_takes_the_local_day_of_a_moment():
    moment = datetime(2025, 3, 1, 16, 30, tzinfo=timezone.get_fixed_timezone(0))
    assert 'datetime="2025-03-02"' in render("{% deadline due %}", due=moment)


def test_deadline_whose_hour_has_passed_today_is_over(monkeypatch):
    now = datetime(2025, 3, 7, 7, 0, tzinfo=timezone.get_fixed_timezone(0))
    monkeypatch.setattr(timezone, "now", lambda: now)
    assert "今天已到期" in render("{% deadline due %}", due=now - timedelta(minutes=1))


def test_no_deadline_is_a_dash():
    assert text(render("{% deadline due %}", due=None)) == "—"


# --- Words and signs --------------------------------------------------------------------


def test_chip_takes_its_tone_from_the_name_of_the_state():
    assert render("{% chip 'OVERDUE' '超期' %}").strip() == '<span class="chip chip--danger">超期</span>'


def test_chip_of_an_enum_member_brings_its_own_label():
    assert (
        render("{% chip state %}", state=JobState.DONE).strip()
        == '<span class="chip chip--success">已完成</span>'
    )


def test_chip_of_an_unknown_state_is_neutral():
    assert "chip--neutral" in render("{% chip 'SOMETHING' '某状态' %}")


def test_chip_escapes_its_label():
    assert ESCAPED in render("{% chip 'DRAFT' label %}", label=NASTY)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [(12000, "12,000 元"), ("500.5", "500.50 元"), (0, "0 元"), (None, "—"), ("", "—")],
)
def test_yuan_writes_an_amount_or_a_dash(amount, expected):
    assert render("{{ amount|yuan }}", amount=amount) == expected


def test_day_and_moment_are_written_by_year_month_and_day():
    moment = timezone.make_aware(datetime(2025, 3, 1, 9, 5))
    assert text(render("{% day m %} {% moment m %}", m=moment)) == "2025-03-01 2025-03-01 09:05"


def test_digest_shortens_and_keeps_the_whole_in_the_title():
    html = render("{% digest d %}", d="ab" * 32)
    assert f'title="摘要 {"ab" * 32}"' in html
    assert "<code>abababababab</code>" in html


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-1, "执法证已过期，不能参加检查"),
        (0, "执法证今天到期"),
        (30, "执法证即将到期"),
        (400, ""),
    ],
)
def test_person_warns_of_a_certificate_that_runs_out(days, words):
    html = render(
        "{% person '陈建明' '35058200117' until %}",
        until=timezone.localdate() + timedelta(days=days),
    )
    assert "35058200117" in html
    assert "".join(re.findall(r'class="chip[^>]*>([^<]*)', html)) == words


# --- Blocks -------------------------------------------------------------------------------


def test_progress_is_determinate_and_says_its_numbers():
    html = render("{% progress 812 3000 unit='家' %}")
    assert '<progress max="3000" value="812" aria-label="进度">' in html
    assert text(html) == "812 / 3000 家 （27%）"


def test_progress_of_nothing_is_zero_percent():
    assert "（0%）" in render("{% progress 0 0 %}")


@pytest.mark.parametrize("active", [True, False])
def test_job_asks_again_only_while_it_runs(active):
    job = SimpleNamespace(state="RUNNING", get_state_display="进行中", done=1, total=3, is_active=active)
    html = render("{% job_progress job url='/jobs/1/' label='生成检查任务' %}", job=job)
    assert ('hx-get="/jobs/1/" hx-trigger="every 2s"' in html) is active


def test_panel_names_its_section_by_its_heading():
    html = render("{% panel title id='facts' %}<p>正文</p>{% endpanel %}", title=NASTY)
    assert '<section class="panel" id="facts" aria-labelledby="facts-title">' in html
    assert f'<h2 id="facts-title">{ESCAPED}</h2>' in html
    assert "<p>正文</p>" in html


def test_block_content_escapes_variables():
    assert ESCAPED in render("{% notice 'info' %}{{ words }}{% endnotice %}", words=NASTY)


@pytest.mark.parametrize(("value", "expected"), [("", "备案编号 —"), (None, "备案编号 —"), (0, "备案编号 0")])
def test_missing_fact_is_a_dash_and_zero_is_not_missing(value, expected):
    assert text(render("{% kv %}{% kv_item '备案编号' v %}{% endkv %}", v=value)) == expected


def test_steps_tell_screen_readers_where_things_stand():
    html = render(
        "{% steps s %}",
        s=[{"label": "发起", "state": "done"}, {"label": "勾选", "state": "current"}],
    )
    assert html.count('aria-current="step"') == 1
    assert text(html) == "发起 已完成 2 勾选 当前步骤"


def test_timeline_takes_days_and_moments():
    events = [
        {"when": timezone.make_aware(datetime(2025, 3, 1, 9, 5)), "title": "移送"},
        {"when": FRIDAY, "title": NASTY},
    ]
    html = render("{% timeline events %}", events=events)
    assert text(html).startswith("2025-03-01 09:05 移送 2025-03-07")
    assert ESCAPED in html


def test_files_show_pictures_as_figures_and_the_rest_as_links():
    items = [
        {"url": "/f/1", "thumbnail_url": "/t/1", "name": "通道.jpg"},
        {"url": "/f/2", "name": "笔录.pdf", "size": 2048},
    ]
    html = render("{% files items %}", items=items)
    assert html.count("<figure>") == 1
    assert 'alt="通道.jpg（在新窗口查看原图）"' in html
    assert '<a class="files__name" href="/f/2">笔录.pdf</a>' in html


def test_matrix_keeps_spans_and_order():
    rows = [
        [{"text": "1", "rowspan": 2, "header": True}, {"text": "甲"}],
        [{"text": NASTY, "colspan": 1}],
    ]
    html = render(
        "{% matrix head rows caption='清单' %}",
        head=[[{"text": "序号"}, {"text": "事项"}]],
        rows=rows,
    )
    assert '<th scope="row" rowspan="2" class="matrix__cell">1</th>' in html
    assert f'<td colspan="1" class="matrix__cell">{ESCAPED}</td>' in html


def test_bar_chart_scales_to_the_largest_and_prints_numbers():
    html = render(
        "{% bar_chart rows label='覆盖' %}",
        rows=[{"label": "甲", "value": 4}, {"label": "乙", "value": 1}],
    )
    assert re.findall(r'<rect class="fill--accent" width="(\d+)"', html) == [
        "100",
        "25",
    ]
    assert text(html) == "覆盖 覆盖 甲 4 乙 1"


def test_donut_of_nothing_draws_no_slice():
    html = render("{% donut rows label='整改' %}", rows=[{"label": "甲", "value": 0}])
    assert "donut__slice" not in html
    assert "0%" in html
