"""Shares, coefficients and judges' values in words, as pages and figures show them."""

from tracegauge.reporting.numbers import MISSING, render_value
from tracegauge.results.calibration import Coefficient, Share
from tracegauge.results.judge_card import JudgeCard
from tracegauge.results.judge_comparison import Measure
from tracegauge.results.judge_status import JudgeStatus
from tracegauge.results.judgement import Value

NOT_CALIBRATED = "not calibrated"


def share_words(share: Share | None) -> str:
    """ "83.3% [66.4%, 92.7%]", with Wilson's 95% interval; a dash for none of none."""
    if share is None or share.share is None:
        return MISSING
    return f"{share.share:.1%} {interval_words(share.interval)}".rstrip()


def share_of_words(share: Share | None) -> str:
    """ "83.3% [66.4%, 92.7%], 25 of 30"."""
    return MISSING if share is None or not share.n else f"{share_words(share)}, {share.count:,} of {share.n:,}"


def interval_words(interval: tuple[float, float] | None) -> str:
    """An interval of shares; empty where there is none."""
    return f"[{interval[0]:.1%}, {interval[1]:.1%}]" if interval else ""


def coefficient_words(of: Coefficient) -> str:
    """ "0.71 [0.52, 0.88], n = 60"."""
    if of.value is None:
        return f"not defined, n = {of.n:,}"
    limits = f"[{of.interval[0]:.2f}, {of.interval[1]:.2f}]" if of.interval else "(no interval)"
    return f"{of.value:.2f} {limits}, n = {of.n:,}"


def signed_words(value: float | None, interval: tuple[float, float] | None) -> str:
    """ "+0.02 [-0.01, +0.05]"."""
    if value is None:
        return MISSING
    return f"{value:+.3f}" + (f" [{interval[0]:+.3f}, {interval[1]:+.3f}]" if interval else "")


def value_words(value: Value) -> str:
    """What a judge said, booleans as its file writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_share(of: Measure) -> bool:
    """Whether a measure is a share of verdicts, not a mean of numbers."""
    return of.name != "mean"


def difference_words(of: Measure) -> str:
    """ "-27.5 points [-41.0, -12.3]" of a share, "-1.00 [-1.20, -0.81]" of a mean."""
    factor, form, unit = (100.0, "{:+.1f}", " points") if is_share(of) else (1.0, "{:+.2f}", "")
    limits = "" if of.interval is None else " [{}, {}]".format(*(form.format(factor * one) for one in of.interval))
    return form.format(factor * of.difference) + unit + limits


def model_words(kind: str, model: str | None) -> str:
    """ "llm, openai:/gpt-5"."""
    return f"{kind}, {model}" if model else kind


def usage_words(of: JudgeStatus | JudgeCard) -> tuple[str, ...]:
    """Latency, then calls with their tokens, then the price."""
    found = []
    if of.latency_p50_ms is not None:
        found.append(f"p50 {render_value(of.latency_p50_ms, 'ms')}, p95 {render_value(of.latency_p95_ms, 'ms')}")
    if not of.calls:
        return (*found, "no calls")
    calls = f"{counted(of.calls, 'call')}, {of.input_tokens:,} + {of.output_tokens:,} tokens"
    cached = f"{of.cached:,} from cache" if isinstance(of, JudgeStatus) and of.cached else None
    price = "price not known" if of.cost_usd is None else f"{of.cost_usd:.4f} USD"
    return (*found, calls, *([cached] if cached else []), price)


def counted(number: int, noun: str) -> str:
    """ "1 judge", "2 judges"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
