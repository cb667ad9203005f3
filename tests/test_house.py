"""The rules of the house that a machine can check: names, docstrings, maps of packages, sizes of files and functions."""

import ast

import house
import tiers

LINES, SPAN = 400, 60
"""Lines of a file, and of a function below its signature, that are still read in one sitting. There are no exceptions."""
FOLDERS = ("src", "tests", "benchmarks", "docs")


def test_no_public_class_name_stands_twice():
    repeated = house.repeated_classes()
    assert not repeated, _listing(
        f"{name}: {', '.join(places)}" for name, places in repeated.items()
    )


def test_docstrings_name_their_subject_or_begin_with_a_verb():
    found = house.wrong_openers()
    assert not found, _listing(found)


def test_every_package_names_all_of_its_modules():
    missing = house.left_out_of_maps()
    assert not missing, _listing(missing)


def test_files_can_be_read_in_one_sitting():
    found = house.long_files(LINES, *FOLDERS)
    assert not found, _listing(found)


def test_functions_fit_on_a_screen():
    found = house.long_functions(SPAN, *FOLDERS)
    assert not found, _listing(found)


def test_slow_tests_are_where_they_are_said_to_be():
    for place in (place for places in tiers.SLOW.values() for place in places):
        file, _, name = place.partition("::")
        assert (tiers.HERE / file).exists(), place
        assert not name or f"def {name}(" in (tiers.HERE / file).read_text("utf-8"), place


def test_docstrings_of_every_kind_are_found(tmp_path):
    text = (
        '"""Module."""\nA = 1\n"""Value."""\nclass C:\n    """Class."""\n    b: int = 2\n    """Field."""\n'
        '    def d(self):\n        """Method."""\n        "Neither."\nif A:\n    E = 1\n    """Branch."""\n'
    )
    module = house.Module(tmp_path, ast.parse(text), 0)
    assert {found for _, found in house.docstrings(module)} == {
        "Module.",
        "Value.",
        "Class.",
        "Field.",
        "Method.",
        "Branch.",
    }


def test_maps_are_read_in_every_form():
    assert house._named(
        "Map:\n\nagent, attempt  one line\n`calls`  x\nsee spawn.py and team/, but not prose"
    ) == {"agent", "attempt", "calls", "spawn", "team"}


def _listing(lines) -> str:
    lines = list(lines)
    return f"{len(lines)} found:\n" + "\n".join(lines)
