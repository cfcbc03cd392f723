import re

from django import forms
from django.core.paginator import Paginator

from core.lists import ListPage
from tests.core.test_components import ESCAPED, NASTY, render, text


class SampleForm(forms.Form):
    name = forms.CharField(label="名称", help_text="与登记证一致")
    note = forms.CharField(label="说明", required=False)
    kind = forms.ChoiceField(label="方式", choices=[("a", "甲"), ("b", "乙")], widget=forms.RadioSelect)
    agreed = forms.BooleanField(label="已核对", required=False)
    secret = forms.CharField(required=False, widget=forms.HiddenInput)


# --- Lists -----------------------------------------------------------------------------------


def test_table_is_a_labelled_region_the_keyboard_reaches():
    html = render("{% table '机构名录' %}<tbody></tbody>{% endtable %}")
    assert 'role="region" aria-label="机构名录" tabindex="0"' in html


def listing(sort="name", page=1):
    return ListPage(Paginator(range(60), 20).get_page(page), sort)


def test_sort_header_turns_the_order_round_and_keeps_the_filter():
    html = render("{% sort_header 'name' '名称' %}", "?q=敬老院&page=3", listing=listing("name"))
    assert 'aria-sort="ascending"' in html
    assert 'href="?q=%E6%95%AC%E8%80%81%E9%99%A2&amp;sort=-name"' in html


def test_sort_header_of_another_column_is_not_marked():
    html = render("{% sort_header 'beds' '床位数' numeric=True %}", listing=listing("-name"))
    assert "aria-sort" not in html
    assert 'class="num"' in html


def test_paging_keeps_the_query_and_marks_the_page():
    html = render("{% paging listing unit='家' %}", "?q=x&page=2", listing=listing(page=2))
    assert "共 60 家，第 2 / 3 页" in html
    assert 'href="?q=x&amp;page=3" rel="next"' in html
    assert html.count('aria-current="page"') == 1


def test_paging_of_a_single_page_has_no_links():
    assert "<nav" not in render("{% paging page %}", page=Paginator(range(3), 20).get_page(1))


def test_filter_bar_keeps_the_order_and_offers_to_clear():
    form = SampleForm({"name": "敬老院"})
    html = render("{% filter_bar form total=3 unit='家' %}", "?name=敬老院&sort=-name", form=form)
    assert '<input type="hidden" name="sort" value="-name">' in html
    assert "清除筛选" in html
    assert "符合条件 3 家" in text(html)


def test_filter_bar_without_a_filter_has_nothing_to_clear():
    assert "清除筛选" not in render("{% filter_bar form %}", "?sort=name&page=2", form=SampleForm())


def test_filter_bar_clears_the_filter_but_stays_on_the_tab():
    bar = "{% filter_bar form %}"
    assert "清除筛选" not in render(bar, "?secret=inbox", form=SampleForm({"secret": "inbox"}))
    html = render(bar, "?secret=inbox&name=敬老院", form=SampleForm({"secret": "inbox", "name": "敬老院"}))
    assert 'href="/list/?secret=inbox">清除筛选' in html


# --- Forms -------------------------------------------------------------------------------------


def test_field_ties_help_and_error_to_the_control():
    html = render("{% field form.name %}", form=SampleForm({}))
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext">与登记证一致<' in html
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html


def test_field_says_when_it_may_be_left_out():
    html = render("{% field form.note %}", form=SampleForm())
    assert text(html) == "说明 选填"


def test_hint_given_in_the_template_is_tied_too():
    html = render("{% field form.note hint='不超过200字' %}", form=SampleForm())
    assert 'aria-describedby="id_note_helptext"' in html


def test_radio_buttons_are_a_fieldset():
    html = render("{% field form.kind %}", form=SampleForm({}))
    assert "<legend>方式</legend>" in html
    assert '<fieldset aria-describedby="id_kind_error" id="id_kind" tabindex="-1">' in html


def test_fields_render_hidden_ones_too():
    html = render("{% fields form %}", form=SampleForm())
    assert 'type="hidden" name="secret"' in html
    assert html.count('class="field ') == 4


def test_error_summary_links_to_each_field():
    html = render("{% form_errors form %}", form=SampleForm({}))
    assert re.findall(r'href="#(\w+)"', html) == ["id_name", "id_kind"]


def test_valid_form_has_no_summary():
    assert render("{% form_errors form %}", form=SampleForm()).strip() == ""


def test_choices_mark_the_value_and_can_be_locked():
    html = render(
        "{% choices 'v' '结果' options value='no' disabled=True %}",
        options=[("yes", "符合"), ("no", "不符合", "danger")],
    )
    assert '<fieldset class="choices" disabled>' in html
    assert re.findall(r'value="(\w+)" id="v-\d" checked', html) == ["no"]


def test_signature_pad_is_named_and_offers_paper():
    html = render("{% signature_pad 'sign' '机构负责人' signer=who %}", who=NASTY)
    assert 'role="group" aria-labelledby="sign-label" aria-describedby="sign-note"' in html
    assert "请在纸上签名后拍照上传" in html
    assert ESCAPED in html


def test_confirm_states_what_it_does_and_posts_with_a_token():
    html = render(
        "{% confirm '退回' url='/r/1/' title='退回移送' text='退回后不再办理' reason='why' fields=extra %}",
        extra={"rev": 3},
    )
    (dialog,) = re.findall(r'<dialog class="dialog" id="([\w-]+)"', html)
    assert f'data-dialog="{dialog}"' in html
    assert '<form method="post" action="/r/1/">' in html
    assert 'name="csrfmiddlewaretoken"' in html
    assert '<input type="hidden" name="rev" value="3">' in html
    assert re.search(r'<textarea [^>]*name="why"[^>]* required>', html)


def test_two_confirms_of_one_page_have_different_ids():
    html = render("{% confirm '退回' url='/r/1/' title='a' %}{% confirm '退回' url='/r/2/' title='a' %}")
    assert len(set(re.findall(r'<dialog class="dialog" id="([\w-]+)"', html))) == 2
