"""What the documents show as Python is run."""

import re
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)


@pytest.mark.parametrize("document", ["docs/agreement.md", "docs/team.md", "docs/vision.md"])
def test_the_examples_of_a_document_run_in_order(document):
    text = (ROOT / document).read_text()
    examples = EXAMPLES.findall(text)
    assert examples
    before = threading.active_count()
    names = {}
    for example in examples:
        exec(compile(example, document, "exec"), names)  # noqa: S102  our own pages
    assert threading.active_count() <= before + 1
