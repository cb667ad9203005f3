"""The rules of the house that a machine can check: names, docstrings, maps of packages, sizes of files and functions."""

import ast
import re

import house

LINES, SPAN = 500, 60
"""Lines of a file and of a function, as the formatter breaks them, that are still read in one sitting."""
LONG_FILES = {
    "tests/reasoning/team/test_contemplate.py",
    "tests/cli/view/test_team_views.py",
    "tests/models/providers/adapter/test_remote.py",
    "tests/reasoning/consensus/test_answer_format.py",
    "tests/server/http/test_hostile.py",
}
"""Files that may have more lines."""
LONG_FUNCTIONS = {
    "benchmarks/load/tables.py: _asked",
    "benchmarks/server_load.py: measured",
    "benchmarks/team.py: faults",
    "src/musespark/cli/commands/calibrate.py: calibrate",
    "src/musespark/cli/commands/eval_grounding.py: grounding",
    "src/musespark/cli/commands/nano.py: train",
    "src/musespark/cli/commands/nano_eval.py: measure",
    "src/musespark/cli/commands/nano_outside.py: outside",
    "src/musespark/cli/commands/serve.py: serve",
    "src/musespark/server/app.py: make_app",
    "src/musespark/server/protocols/responses/dialect.py: parse",
    "src/musespark/server/runs/routes.py: _add_read_routes",
    "tests/models/providers/servers.py: anthropic",
    "tests/models/providers/servers.py: responses",
    "tests/page/conftest.py: models",
    "tests/server/test_auth.py: test_a_small_budget_does_not_keep_calls_from_being_asked_side_by_side",
}
"""Functions that may have more lines, as `path: name`: signatures of commands, routes, scripted servers."""
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
    found = [
        line
        for line in house.long_files(LINES, *FOLDERS)
        if line.partition(":")[0] not in LONG_FILES
    ]
    assert not found, _listing(found)


def test_functions_fit_on_a_screen():
    found = [
        line
        for line in house.long_functions(SPAN, *FOLDERS)
        if line.partition(",")[0] not in LONG_FUNCTIONS
    ]
    assert not found, _listing(found)


def test_exceptions_are_still_needed():
    assert LONG_FILES <= {line.partition(":")[0] for line in house.long_files(LINES, *FOLDERS)}
    assert LONG_FUNCTIONS <= {
        line.partition(",")[0] for line in house.long_functions(SPAN, *FOLDERS)
    }


def test_slow_tests_are_where_they_are_said_to_be():
    (slow,) = re.findall(
        r"^SLOW = \((.*?)\)$", (house.ROOT / "tests/conftest.py").read_text("utf-8"), re.M | re.S
    )
    assert not [
        name
        for name in re.findall(r'"([^"]+)"', slow)
        if not (house.ROOT / "tests" / name).exists()
    ]


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
