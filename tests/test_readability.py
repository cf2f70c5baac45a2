"""The script that measures how densely code is written, on code that is counted by hand."""

from pathlib import Path

from tests.readability import Measurement, find_rooms, measure

SOURCE = '''"""A docstring
of two lines."""

from typing import Any  # a comment

LIMIT = 3
"""A docstring, too."""


@decorated
def outer(self, first: Any, *rest: list[Any], last: int = 0) -> Any:
    """A docstring."""

    def inner(text):
        return [f"{letter}!" for letter in text]

    # The comment is a line of the function.
    return inner(first if last else rest)
'''

NESTED = """
def nested(number):
    if number == 1:
        return 1
    elif number == 2:
        for digit in str(number):
            print(digit)
    else:
        if number == 3:
            with open(number) as file:
                return file
"""


def measure_sources(*sources: str) -> Measurement:
    measurement = Measurement()
    for source in sources:
        measurement.add(source)
    return measurement


def test_tokens_are_counted_without_docstrings_and_comments() -> None:
    measurement = measure_sources(SOURCE)
    # From the import to the constant 4 + 3, the decorator 2, outer 26 + 9, inner 6 + 8.
    assert measurement.tokens == 58
    assert measurement.code_lines == 7
    assert measurement.code_line_lengths[0] == len(
        "from typing import Any  # a comment"
    )


def test_an_f_string_is_one_token() -> None:
    assert measure_sources('f"{one} and {two!r:>{width}}"').tokens == 1


def test_a_nested_function_counts_for_itself() -> None:
    outer, inner = measure_sources(SOURCE).functions
    assert (outer.name, outer.lines, outer.tokens, outer.arguments) == (
        "outer",
        5,
        35,
        3,
    )
    assert (inner.name, inner.lines, inner.tokens, inner.arguments) == (
        "inner",
        2,
        14,
        1,
    )


def test_an_elif_is_no_deeper_than_its_if() -> None:
    (function,) = measure_sources(NESTED).functions
    assert function.nesting == 3


def test_shares_are_of_lines_and_of_annotations() -> None:
    measurement = measure_sources(SOURCE, f"x = '{'x' * 100}'")
    assert measurement.code_lines == 8
    assert measurement.long_line_share == 1 / 13
    assert measurement.any_share == 2 / 6
    assert measurement.comprehensions_per_100 == 12.5
    assert measurement.conditionals_per_100 == 12.5


def test_a_room_is_a_folder_with_modules(tmp_path: Path) -> None:
    house = tmp_path / "house"
    for name in (
        "hall.py",
        "attic/chest.py",
        "attic/lamp.py",
        "attic/notes.txt",
        "shed/box.txt",
    ):
        path = house / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    rooms = find_rooms(house)
    assert {room: len(paths) for room, paths in rooms.items()} == {
        "house": 1,
        "house/attic": 2,
    }
    assert measure(rooms["house/attic"]).code_lines == 2
