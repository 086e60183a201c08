"""Instructions of an LLM judge: a text with `{{ inputs }}` and other variables, in MLflow's syntax."""

import re

from tracegauge.config.errors import nearest
from tracegauge.config.validation import PlacedError

VARIABLES = ("inputs", "outputs", "expectations", "trace", "conversation")

_VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def variables_in(instructions: str) -> tuple[str, ...]:
    """The variables in the order of their first use."""
    return tuple(dict.fromkeys(_VARIABLE.findall(instructions)))


def check_instructions(instructions: str) -> str:
    """The instructions, if a judge can follow them.

    Raises PlacedError for an unknown variable, for none at all, and for `{{ conversation }}` beside a variable of a
    single trace, which MLflow refuses too.
    """
    used = variables_in(instructions)
    for found in _VARIABLE.finditer(instructions):
        if found[1] not in VARIABLES:
            raise PlacedError(
                f"unknown variable {found[0]}", hint=nearest(found[1], VARIABLES), of_key=False, marked=found[0]
            )
    if not used:
        hint = "write {{ inputs }} and {{ outputs }} where they belong"
        raise PlacedError("instructions without a variable: the judge would see nothing", of_key=False, hint=hint)
    beside = [name for name in used if name in ("inputs", "outputs", "trace")]
    if "conversation" in used and beside:
        raise PlacedError(
            f"{{{{ conversation }}}} can't stand beside {{{{ {beside[0]} }}}}",
            of_key=False,
            marked=next(one[0] for one in _VARIABLE.finditer(instructions) if one[1] == beside[0]),
            hint="a conversation holds what all traces of a session say; only {{ expectations }} may stand beside it",
        )
    return instructions


def render(instructions: str, values: dict[str, str]) -> str:
    """The instructions with values in place of variables."""
    return _VARIABLE.sub(lambda found: values[found[1]], instructions)
