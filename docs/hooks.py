"""For the site: links that leave `docs/` lead to the repository."""

import re
from typing import Any


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """The page with links such as `../benchmarks/real_team.md` turned into addresses of the repository."""
    above = "../" * (page.file.src_uri.count("/") + 1)
    return re.sub(rf"\]\({re.escape(above)}(?!\.\./)", f"]({config.repo_url}/blob/main/", markdown)
