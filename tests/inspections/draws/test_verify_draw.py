import json

import pytest
from django.core.management import CommandError, call_command

from inspections.draws.rules import SamplingRule, percent
from tests.factories.draws import publish


@pytest.fixture
def document():
    return publish({f"key-{n}": "" for n in range(7)}, SamplingRule(percent(30)), {})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "draw.json"


def test_a_true_result_is_confirmed_line_by_line(document, path, capsys):
    path.write_text(json.dumps(document))
    call_command("verify_draw", str(path))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "一致  名单：7 家机构，1 层"
    assert lines[-1] == "核验通过：重新计算的各项与公布的完全一致。"


def test_a_forged_result_is_named_and_fails(document, path, capsys):
    document["drawn"].reverse()
    path.write_text(json.dumps(document))
    with pytest.raises(CommandError, match="核验不通过：抽取结果与公布的不一致"):
        call_command("verify_draw", str(path))
    assert "不一致  抽取结果：重新计算为3 项，公布的是3 项" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "读不到文件"), (b"\xff\xfe", "不是 JSON 文件"), (b"[]", "这不是抽取结果文件")],
)
def test_what_is_no_result_is_refused(path, content, message):
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=message):
        call_command("verify_draw", str(path))
