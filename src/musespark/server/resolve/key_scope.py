"""The models and modes that a key may ask: any other is as unknown to it as one that does not exist."""

from __future__ import annotations

from dataclasses import dataclass

from musespark.content import Effort, Mode
from musespark.errors import UnknownModel
from musespark.server.resolve.model_catalog import NATIVE, ModelCatalog
from musespark.server.resolve.parsed_request import ParsedRequest


@dataclass(frozen=True, slots=True)
class KeyScope:
    """Models and modes of a key; None is all."""

    models: tuple[str, ...] | None = None
    modes: tuple[str, ...] | None = None

    @property
    def is_limited(self) -> bool:
        """True unless everything may be asked."""
        return self.models is not None or self.modes is not None

    def listed(self, catalog: ModelCatalog) -> list[str]:
        """Names that are offered to the key: of the catalog, and models that only their provider's name says."""
        names = dict.fromkeys((*catalog.listed, *(self.models or ())))
        return [name for name in names if self._allows_name(catalog, name)]

    def require_model(self, catalog: ModelCatalog, name: str) -> None:
        """Raise `UnknownModel` for a name that the key may not ask."""
        if not self._allows_name(catalog, name):
            raise UnknownModel(name[:80], self.listed(catalog))

    def require(self, catalog: ModelCatalog, parsed: ParsedRequest) -> None:
        """Raise `UnknownModel` if a request names a model or a mode that the key may not ask."""
        if not self.is_limited:
            return
        options = parsed.options
        mode, name = catalog.split_mode(parsed.model)
        named = options.models or ([name] if name else _default(catalog))
        roles = [each for each in (options.judge, options.refiner, options.merger) if each]
        for each in (*named, *roles):
            if not self.allows_model(each):
                raise UnknownModel(each[:80], self.listed(catalog))
        # A mode that a client's effort of none replaces is asked for all the same.
        if not self.allows_mode(mode) or (
            parsed.effort is Effort.NONE and not self.allows_mode(Mode.INSTANT)
        ):
            raise UnknownModel(parsed.model[:80], self.listed(catalog))

    def _allows_name(self, catalog: ModelCatalog, name: str) -> bool:
        mode, model = catalog.split_mode(name)
        named = [model] if model else _default(catalog)
        return self.allows_mode(mode) and all(map(self.allows_model, named))

    def allows_model(self, name: str) -> bool:
        """True for a model that may be asked."""
        return self.models is None or name in self.models

    def allows_mode(self, mode: Mode | None) -> bool:
        """True for a mode that may be asked; None is the one of a model that is asked by its name alone."""
        return self.modes is None or (mode or Mode.THINKING).value in self.modes


def _default(catalog: ModelCatalog) -> list[str]:
    """Models of a request that names none."""
    return list(catalog.config.roles.explorer or (NATIVE,))
