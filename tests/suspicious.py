"""A test client that distrusts every page it is given."""

from html.parser import HTMLParser

from django.test import Client


class Inspector(HTMLParser):
    """Collects what a strict Content-Security-Policy would block and a screen reader would miss."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html" and not given.get("lang"):
            self.found.append("<html> 缺少 lang")
        if tag == "script" and not self._may_run(given):
            self.found.append("<script> 既无 src 也无 nonce")
        if tag == "style" and not given.get("nonce"):
            self.found.append("<style> 内联样式")
        if tag == "a" and "href" in given and not given["href"]:
            self.found.append("<a href> 是空的：{% url … as x %} 只在它所在的 block 里有效")
        for name, value in attrs:
            if name == "style" or name.startswith(("on", "hx-on")) or (value or "").startswith("javascript:"):
                self.found.append(f'<{tag} {name}="{value}"> 内联样式或脚本')

    @staticmethod
    def _may_run(given: dict[str, str | None]) -> bool:
        is_data = given.get("type") == "application/json"
        return is_data or bool(given.get("src")) or bool(given.get("nonce"))


def suspicions(html: str) -> list[str]:
    inspector = Inspector()
    inspector.feed(html)
    inspector.close()
    return [*inspector.found, *(f"未渲染的模板标记 {mark}" for mark in ("{{", "{%") if mark in html)]


class SuspiciousClient(Client):
    """Fails the test when an HTML answer holds unrendered tags, inline handlers or styles, or no language."""

    def request(self, **request):
        response = super().request(**request)
        if response.get("Content-Type", "").startswith("text/html") and not response.streaming:
            found = suspicions(response.content.decode())
            assert not found, f"{request.get('PATH_INFO')}: {'; '.join(found)}"
        return response
