"""The 统一社会信用代码 (GB 32100-2015), and the 临时编号 that stands for it until there is one."""

import unicodedata
from operator import mul

from core.errors import DomainError
from core.numbers import next_numbers

USCC_LENGTH = 18
USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_VALUES = {char: value for value, char in enumerate(USCC_CHARACTERS)}
USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(USCC_LENGTH - 1))
# GB 11714: weights of the organisation code that stands in positions 9 to 17.
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
ORGANISATION_VALUES = {char: int(char, 36) for char in USCC_CHARACTERS}


def check_uscc(text: str) -> str:
    """The code in its written form (18 characters, upper case), or "" for none given.

    Raises DomainError on field `uscc` saying what is wrong: length, a character the code never has
    (GB 32100-2015 leaves out I, O, S, V, Z) or the check digit.
    """
    code = "".join(unicodedata.normalize("NFKC", text or "").split()).replace("-", "").upper()
    if not code:
        return ""
    if len(code) != USCC_LENGTH:
        raise uscc_error(f"统一社会信用代码应为{USCC_LENGTH}位，现为{len(code)}位。")
    if wrong := next((char for char in code if char not in USCC_VALUES), ""):
        position = code.index(wrong) + 1
        raise uscc_error(f"统一社会信用代码第{position}位“{wrong}”有误：只用数字和字母，不用 I、O、S、V、Z。")
    if not code[2:8].isdigit():
        raise uscc_error("统一社会信用代码第3至8位应为6位行政区划代码。")
    # Not python-stdnum: it knows no registering authority but digits, and village collectives have N.
    total = sum(map(mul, USCC_WEIGHTS, map(USCC_VALUES.__getitem__, code)))
    if USCC_CHARACTERS[-total % 31] != code[-1]:
        raise uscc_error("统一社会信用代码的校验位不符，请核对是否抄错。")
    return code


def doubt_about(uscc: str) -> str:
    """What a right code may still have wrong: its organisation code's own check digit (GB 11714).

    Only to be looked at: some registering authorities give codes that do not keep it.
    """
    total = sum(map(mul, ORGANISATION_WEIGHTS, map(ORGANISATION_VALUES.__getitem__, uscc[8:16])))
    if "0123456789X0"[11 - total % 11] == uscc[16]:
        return ""
    return "第9至17位（主体标识码）自身的校验位不符，请与登记证书核对。"


def temporary_numbers(county: str, count: int) -> list[str]:
    """The next `count` temporary numbers of a county (six digits of its code), e.g. L3505820001."""
    return [
        f"L{county}{number:04d}" for number in next_numbers(count, issuer=county, kind="临时编号", year=0)
    ]


def uscc_error(message: str) -> DomainError:
    return DomainError(message, fields={"uscc": message})
