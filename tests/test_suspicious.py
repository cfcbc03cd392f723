import pytest

from tests.suspicious import suspicions


@pytest.mark.parametrize(
    "html",
    [
        "<html><body></body></html>",
        '<html lang=""></html>',
        "<p>{{ name }}</p>",
        "<p>{% url 'x' %}</p>",
        '<p style="color: red">',
        '<button onclick="go()">',
        '<div hx-on:click="go()">',
        '<a href="javascript:go()">',
        '<a href="">返回</a>',
        "<script>go()</script>",
        "<style>p {}</style>",
    ],
)
def test_a_leak_is_found(html):
    assert len(suspicions(html)) == 1


@pytest.mark.parametrize(
    "html",
    [
        '<html lang="zh-hans"><body><p class="one">一</p></body></html>',
        '<script src="/static/a.js"></script>',
        '<script type="importmap" nonce="abc">{}</script>',
        '<script type="application/json" id="data">{}</script>',
        '<p title="style=&quot;x&quot; onclick=&quot;y&quot;">',
    ],
)
def test_a_clean_page_passes(html):
    assert suspicions(html) == []
