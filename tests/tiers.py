"""The tiers of the tests: which of them `make check` leaves out, by the marks `slow`, `browser` and `torch`.

A test that starts processes or takes a second of processor time belongs into `SLOW`: as a folder, a file, or `file::test`.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
SLOW = {
    "start processes or servers of their own": (
        "benchmarks",
        "cli/chat/test_chat_process.py",
        "cli/commands/test_keys.py::test_a_server_for_others_starts_once_there_is_a_key",
        "cli/commands/test_keys.py::test_behind_a_proxy_it_answers_for_the_name_that_the_proxy_has",
        "cli/commands/test_run_files.py",
        "cli/commands/test_serve.py",
        "cli/test_process.py",
        "evals/test_native.py::test_evaluations_run_in_processes_and_make_a_card",
        "nano/training",
        "server/resolve/test_model_catalog.py::test_the_list_imports_the_libraries_of_those_who_can_be_asked_alone",
        "store/database/test_database.py::test_many_that_start_at_once_make_one_database",
        "store/test_crash.py",
        "store/test_stored_data.py",
        "test_docs.py::test_benchmarks_run",
        "test_documented_commands.py",
    ),
    "ask the native model at length": (
        "models/local/test_gguf_model.py",
        "models/test_nano.py",
        "nano/test_network.py::test_any_tree_of_sequences",
        "nano/test_shipped.py",
        "server/protocols/test_clients.py::test_an_image_that_the_native_model_reads",
        "server/protocols/test_stop.py::test_the_native_model_stops_too",
        "server/resolve/test_resolve.py::test_the_native_models_thoughts_are_not_counted_against_its_answer",
        "server/resolve/test_stop_limits.py::test_the_native_model_stops",
        "server/test_docs.py",
    ),
    "draw, read or decode many images, or large ones": (
        "evals/test_grounding.py::test_the_command_measures_screens_that_are_there",
        "evals/test_grounding.py::test_the_tools_point_at_what_is_meant_on_real_screens_and_reading_alone_does_so_less",
        "evals/test_grounding_rendering.py",
        "nano/tasks/test_lake.py::test_the_reader_is_never_wrong_about_what_the_world_draws",
        "nano/tasks/test_maze.py::test_the_reader_is_never_wrong_about_what_the_world_draws",
        "nano/tasks/test_maze.py::test_the_reader_knows_usual_drawings",
        "vision/draw/test_svg.py::test_a_costly_drawing_ends_in_an_image_or_a_sentence",
        "vision/ocr/test_reading.py::test_small_print_on_a_large_page_is_read_once_each",
        "vision/test_wires.py::test_a_large_image_is_scaled_once_and_zoomed_into_as_it_was",
        "vision/test_wires.py::test_a_receipt_is_read_from_the_command_line",
        "vision/video",
    ),
    "try thousands of inputs, or very long ones": (
        "reasoning/team/test_contemplate.py::test_what_agents_say_to_each_other_may_be_longer_than_a_question",
        "server/http/test_hostile.py",
        "server/http/test_hostile_heads.py",
        "server/test_openapi_conformance.py",
    ),
}
"""Slow tests below `tests/`, by the reason."""
_SLOW = frozenset(place for places in SLOW.values() for place in places)
_IMPORTS = {
    "browser": re.compile(r"(?:from|import) (?:playwright|axe_playwright_python)\b"),
    "torch": re.compile(
        r"(?:from|import) (?:torch|musespark\.nano\.training\.(?:network|optimizer|train))\b"
        r"|(?:\w+ = )?pytest\.importorskip\(['\"](?:torch|transformers)['\"]\)"
    ),
}
_NEEDED = {
    "playwright": re.compile(r"(?:from|import) playwright\b"),
    "torch": re.compile(r"(?:from|import) torch\b"),
}
"""Imports that fail where the package is missing, by package; `importorskip` says so by itself."""


def packages_needed(text: str) -> set[str]:
    """Packages without which a file of tests cannot be imported."""
    return _imports(text, _NEEDED)


def marks(place: Path, function: Callable[..., object] | None) -> set[str]:
    """Marks of a test in a file, given by its place below `tests/`."""
    everywhere, somewhere = _marks_of_file(place)
    found = set(everywhere)
    if function is not None:
        if somewhere:  # reading the source of a function takes its time
            found |= _imports(inspect.getsource(function), _IMPORTS, indented=True)
        if f"{place.as_posix()}::{function.__name__}" in _SLOW:
            found.add("slow")
    return found


def excluded(place: Path, expression: str) -> bool:
    """True if a mark expression such as `not torch and not slow` leaves out every test of a file: it need not be imported."""
    terms = expression.split(" and ")
    if not all(term.startswith("not ") and term.count(" ") == 1 for term in terms):
        return False
    everywhere, _ = _marks_of_file(place)
    return not everywhere.isdisjoint(term.removeprefix("not ") for term in terms)


@cache
def _marks_of_file(place: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Marks of every test in a file, and further ones of those tests that import something themselves."""
    text = (HERE / place).read_text("utf-8")
    everywhere = _imports(text, _IMPORTS)
    somewhere = _imports(text, _IMPORTS, indented=True) - everywhere
    if place.parts[0] == "page":
        everywhere.add("browser")
    if not _SLOW.isdisjoint(each.as_posix() for each in (place, *place.parents)):
        everywhere.add("slow")
    return frozenset(everywhere), frozenset(somewhere)


def _imports(text: str, found: Mapping[str, re.Pattern[str]], indented: bool = False) -> set[str]:
    """Keys whose imports stand in a text, at the beginning of a line or, indented, anywhere."""
    lines = [line.lstrip() if indented else line for line in text.splitlines()]
    return {key for key, imports in found.items() if any(imports.match(line) for line in lines)}
