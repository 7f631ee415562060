"""semlang: a modelling language and compiler for generalized linear latent and mixed models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from semlang.version import VERSION

if TYPE_CHECKING:
    from semlang.api import Model as Model
    from semlang.api import compare as compare
    from semlang.api import load as load
    from semlang.api import read_model as read_model
    from semlang.errors import DataError as DataError
    from semlang.errors import FitError as FitError
    from semlang.errors import ModelError as ModelError
    from semlang.errors import NotConvergedWarning as NotConvergedWarning
    from semlang.errors import SemlangError as SemlangError
    from semlang.results.fit import Fit as Fit

__version__ = VERSION

_HOMES = {
    "Model": "semlang.api",
    "compare": "semlang.api",
    "load": "semlang.api",
    "read_model": "semlang.api",
    "Fit": "semlang.results.fit",
    "SemlangError": "semlang.errors",
    "ModelError": "semlang.errors",
    "DataError": "semlang.errors",
    "FitError": "semlang.errors",
    "NotConvergedWarning": "semlang.errors",
}

__all__ = [
    "DataError",
    "Fit",
    "FitError",
    "Model",
    "ModelError",
    "NotConvergedWarning",
    "SemlangError",
    "__version__",
    "compare",
    "load",
    "read_model",
]


def __getattr__(name: str) -> Any:
    # Names are imported when first used, so that `semlang check` loads neither pandas nor numba.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'semlang' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
