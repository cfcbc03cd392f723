import pytest

from archive.masking import MASK, holds_private_numbers, mask


@pytest.mark.parametrize(
    "number",
    [
        "13800138000",
        "138-0013-8000",
        "138 0013 8000",
        "+86 13800138000",
        "0595-85661234",
        "059585661234",
        "35058219900101123X",
        "350582199001011234",
        "350582900101123",
    ],
)
def test_telephone_and_identity_numbers_are_struck_out(number):
    assert mask(f"联系{number}即可") == f"联系{MASK}即可"
    assert holds_private_numbers(f"联系{number}即可")


@pytest.mark.parametrize(
    "text",
    ["第六十条第一款", "罚款5000元", "晋英林罚案〔2024〕12号", "2024-05-06", "52350582MJB000018H"],
)
def test_other_numbers_stay(text):
    assert mask(text) == text
    assert not holds_private_numbers(text)


def test_known_names_are_struck_out_the_longest_first():
    assert mask("欧阳明与欧阳", ["欧阳", "欧阳明", ""]) == f"{MASK}与{MASK}"
