"""The table of clients agrees with their scripts, with docs/clients.md and with the versions that are installed."""

import json
import re

import pytest
from clients.catalog import PROGRAMS, SCRIPTS
from documents import ROOT

PAGE = (ROOT / "docs" / "clients.md").read_text("utf-8")
INSTALLED = ROOT / "tests" / "clients"
NOT_PROGRAMS = {"turns.py", "turns.mjs"}


def section(title):
    """The part of the page below a heading."""
    return PAGE.split(f"\n### {title}\n", 1)[1].split("\n#", 1)[0]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.script)
def test_the_page_gives_the_settings_that_are_tested(program):
    (block,) = re.findall(r"^```\w+\n(.*?)\n```$", section(program.title), re.M | re.S)
    assert block == program.settings
    assert "127.0.0.1:8787" in block and "contemplating" in block


def test_every_script_is_a_program_of_the_table():
    scripts = {path.name for path in SCRIPTS.iterdir() if path.is_file()}
    assert scripts == {program.script for program in PROGRAMS} | NOT_PROGRAMS
    titles = [program.title for program in PROGRAMS]
    assert len(set(titles)) == len(titles)
    assert sorted(re.findall(r"^### (.+)$", PAGE, re.M)) == sorted(titles)


def pinned(program, package):
    """The version of a package that is installed."""
    if program.home == "node":
        return json.loads((INSTALLED / "package.json").read_text())["dependencies"][package]
    pins = (INSTALLED / "requirements" / f"{program.home}.txt").read_text()
    (version,) = re.findall(rf"^{re.escape(package)}==(\S+)", pins, re.M)
    return version


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.script)
def test_every_package_has_one_version_and_the_page_tells_the_program_s(program):
    versions = [pinned(program, package) for package in program.packages]
    assert all(re.fullmatch(r"[\d.]+", version) for version in versions)
    (told,) = re.findall(rf"^\| {re.escape(program.title)} \| (\S+) \|", PAGE, re.M)
    assert told == versions[0]
