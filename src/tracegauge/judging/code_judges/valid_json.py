"""Whether an answer is JSON, where JSON was promised."""

import json

from mlflow.entities import Trace

from tracegauge.judging.extract import outputs_text


def check(trace: Trace, required_keys: list[str] | None = None) -> tuple[bool, str]:
    """True where the whole answer is JSON, and with `required_keys` an object that has all of them."""
    try:
        found = json.loads(outputs_text(trace) or "")
    except json.JSONDecodeError as error:
        return False, f"no JSON: {error.msg} at character {error.pos}"
    missing = [key for key in required_keys or [] if not isinstance(found, dict) or key not in found]
    return not missing, f"lacks {', '.join(missing)}" if missing else "JSON"
