import re
from pathlib import Path

import pytest
from django.conf import settings

TEMPLATES = Path(settings.BASE_DIR) / "templates"


FORBIDDEN = {
    "inline style": re.compile(r"<[^>]*\sstyle\s*=", re.I),
    "style element": re.compile(r"<style\b", re.I),
    "inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.I),
    "script without src or nonce": re.compile(r"<script\b(?![^>]*\b(src|nonce)\s*=)", re.I),
    "htmx that needs eval": re.compile(r"hx-on|hx-vals\s*=\s*.js:|hx-trigger\s*=\s*\"[^\"]*\[", re.I),
}


@pytest.mark.parametrize(
    "path",
    sorted(TEMPLATES.rglob("*.html")),
    ids=lambda path: str(path.relative_to(TEMPLATES)),
)
def test_template_keeps_the_content_security_policy(path):
    source = re.sub(r"{%.*?%}|{{.*?}}", "", path.read_text(), flags=re.S)
    assert [rule for rule, pattern in FORBIDDEN.items() if pattern.search(source)] == []


def test_every_icon_used_is_in_the_sprite():
    sprite = (TEMPLATES / "components/icon_sprite.html").read_text()
    used = {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(r'{% icon "([\w-]+)"', path.read_text())
    }
    assert sorted(name for name in used if f'id="icon-{name}"' not in sprite) == []
