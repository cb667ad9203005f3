"""What the README shows of the server is run against a live one; what docs/server.md lists is what there is."""

import re
from pathlib import Path

from musespark.events import KINDS
from musespark.server.errors import STATUSES
from musespark.server.resolve.options import TEAM_BY_EFFORT, TeamOptions

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "server.md").read_text()
README = (ROOT / "README.md").read_text()


def test_its_examples_run(native, capsys):
    examples = re.findall(r"^```python\n(.*?)^```$", README.partition("\n## Serve\n")[2].partition("\n## ")[0], re.M | re.S)
    assert len(examples) == 3
    for example in examples:
        names = {}
        example = example.replace('"seconds": 60', '"seconds": 600')  # the machine may be busy
        exec(compile(example.replace("http://127.0.0.1:8787", native.url), "README.md", "exec"), names)  # noqa: S102  our own
        names["client"].close()
    assert capsys.readouterr().out.count("((25-7)*3)+12") >= 2


def test_its_tables_are_complete():
    assert all(f"`{option}`" in PAGE for option in TeamOptions.model_fields)
    assert all(str(status) in PAGE for status in STATUSES if status != 500)
    for effort, team in TEAM_BY_EFFORT.items():
        row = next(line for line in PAGE.splitlines() if re.match(rf"\| ([a-z]+, )?{effort.value} \|", line))
        assert [int(re.search(r"\d+", cell)[0]) for cell in row.split("|")[2:5]] == list(team.values())
    told = set(re.findall(r"`([A-Z]\w+)`", PAGE))
    silent = {"RunStarted", "RunFailed", "Verified", "Abstained", "Spent", "ToolReturned"}
    assert {kind.__name__ for kind in KINDS.values()} - told <= silent
