from core.spreadsheets import Merge, Sheet
from scenarios.services.importing.marks import mark, marked_cells


def sheet(comment: str, *, merges=(), **texts) -> Sheet:
    places = {(int(cell[1:]), ord(cell[0]) - 64): text for cell, text in texts.items()}
    return Sheet("清单", texts=places, merges=list(merges), comments={(3, 2): comment})


def test_what_is_marked_is_read_again():
    assert marked_cells(sheet(mark(["B3", "B4"], "B2"), B2="民政", B3="民政", B4="民政")) == {
        (3, 2): "B2",
        (4, 2): "B2",
    }


def test_a_source_within_a_merged_area_is_read_at_its_anchor():
    merged = sheet(mark(["B3"], "B4"), merges=[Merge(3, 2, 5, 2)], B3="民政")
    assert marked_cells(merged) == {(3, 2): "B4"}


def test_a_cell_that_no_longer_says_what_its_source_says_is_no_longer_marked():
    assert marked_cells(sheet(mark(["B3"], "B2"), B2="民政", B3="人社")) == {}


def test_a_blank_source_marks_nothing():
    assert marked_cells(sheet(mark(["B3"], "B9"), B3="")) == {}


def test_other_notes_mark_nothing():
    assert marked_cells(sheet("请核对", B3="民政")) == {}
