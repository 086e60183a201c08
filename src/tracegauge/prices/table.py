"""Prices of language models. A model that is not in the table has no price: its tokens are counted, its cost is not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from os import PathLike
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

_MILLION = 1_000_000


class ModelPrice(BaseModel):
    """What a model costs, in USD per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_read: float | None = Field(default=None, ge=0)
    """Input tokens that were read from the provider's cache. Default: as `input`."""
    cache_write: float | None = Field(default=None, ge=0)
    """Input tokens that were written to the provider's cache. Default: as `input`."""


class _PriceFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    models: dict[str, ModelPrice]


@dataclass(frozen=True)
class PriceTable:
    """Prices by model, from one dated source."""

    version: str
    """The date of the prices, and of what overrides them."""
    models: Mapping[str, ModelPrice]

    def price(self, model: str) -> ModelPrice | None:
        """The price of a model as providers, LangChain and MLflow name it; None where it is not known.

        `openai:/gpt-4o`, `models/gemini-2.5-pro` and `gpt-4o-2024-08-06` are found by their plain names, unless the
        table has them as they are.
        """
        for name in _names(model):
            if name in self.models:
                return self.models[name]
        return None

    def cost_usd(
        self,
        model: str | None,
        input_tokens: int,
        output_tokens: int,
        cache_read_tokens: int = 0,
        cache_write_tokens: int = 0,
    ) -> float | None:
        """The cost of a call in USD; None, not 0, where the model has no price.

        Tokens read from or written to a cache are part of `input_tokens`, as LangChain counts them.
        """
        price = self.price(model) if model else None
        if price is None:
            return None
        plain_tokens = max(0, input_tokens - cache_read_tokens - cache_write_tokens)
        cache_read = price.input if price.cache_read is None else price.cache_read
        cache_write = price.input if price.cache_write is None else price.cache_write
        return (
            plain_tokens * price.input
            + cache_read_tokens * cache_read
            + cache_write_tokens * cache_write
            + output_tokens * price.output
        ) / _MILLION


# libyaml's loader reads the table twenty times faster; every tracker that starts waits for it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def built_in_prices() -> PriceTable:
    """The table that comes with the package."""
    return _parse(files(__package__).joinpath("prices.yaml").read_text("utf-8"), "prices.yaml")


def load_prices(path: str | PathLike[str] | None) -> PriceTable:
    """The built-in table, with the models of a file of the same form in place of its own.

    Raises:
        OSError: the file can't be read.
        ValueError: it is no price table; the message says where and why.
    """
    if path is None:
        return built_in_prices()
    own = _parse(Path(path).read_text("utf-8"), str(path))
    base = built_in_prices()
    return PriceTable(f"{base.version} + {Path(path).name} {own.version}", {**base.models, **own.models})


def _parse(text: str, source: str) -> PriceTable:
    try:
        content = _PriceFile.model_validate(yaml.load(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        raise ValueError(f"{source}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{source}: {where}: {first['msg']}") from error
    return PriceTable(content.version, content.models)


def _names(model: str) -> list[str]:
    """The names under which a model may be in the table, the most exact one first."""
    plain = re.sub(r"^.*[:/]", "", model.strip())
    stem = re.sub(r"-(\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|\d{3}|latest)$", "", plain)
    return [model, plain, stem]
