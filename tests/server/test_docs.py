"""Examples of the documents that ask a server are run against a live one; docs/server.md lists what there is."""

import re
from pathlib import Path

import documents

from musespark.events import KINDS
from musespark.server.errors import STATUSES
from musespark.server.resolve.options import TEAM_BY_EFFORT, TeamOptions

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "server.md").read_text()


def test_examples_that_ask_a_server_run(native, capsys):
    examples = [
        block
        for page in documents.PAGES
        for block in documents.blocks(page)
        if documents.needs_server(block)
    ]
    assert len(examples) >= 3
    for example in examples:
        names = {}
        example = example.replace('"seconds": 60', '"seconds": 600')  # the machine may be busy
        documents.execute(example.replace(documents.SERVER, native.url), "document", names)
        names["client"].close()
    assert capsys.readouterr().out.count("((25-7)*3)+12") >= 2


def test_its_tables_are_complete():
    assert all(f"`{option}`" in PAGE for option in TeamOptions.model_fields)
    assert all(str(status) in PAGE for status in STATUSES if status != 500)
    for effort, team in TEAM_BY_EFFORT.items():
        row = next(
            line
            for line in PAGE.splitlines()
            if re.match(rf"\| ([a-z]+, )?{effort.value} \|", line)
        )
        assert [int(re.search(r"\d+", cell)[0]) for cell in row.split("|")[2:5]] == list(
            team.values()
        )
    told = set(re.findall(r"`([A-Z]\w+)`", PAGE))
    silent = {"RunStarted", "RunFailed", "Verified", "Abstained", "Spent", "ToolReturned"}
    assert {kind.__name__ for kind in KINDS.values()} - told <= silent
