"""A judge card in the terminal."""

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tracegauge.cli.judge.calibration_view import share_text
from tracegauge.results.judge_card import JudgeCard, Perturbation


def card_view(card: JudgeCard) -> RenderableType:
    """What an audit found, a line for each finding."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", overflow="fold")
    table.add_column("[95% interval]", overflow="fold")
    for name, value in _rows(card):
        table.add_row(Text(name), Text(value))
    title = f"{card.judge} ({card.digest}): {card.contents} contents of {card.contents_from}, {card.repeats} repeats"
    notes = [Text(f"note: {warning}", style="yellow") for warning in card.warnings]
    return Group(Text(title, style="bold"), table, *notes)


def _rows(card: JudgeCard) -> Iterator[tuple[str, str]]:
    yield "repeats do not all agree", share_text(card.flips)
    if card.repeat_disagreement is not None:
        yield "two repeats differ", f"{card.repeat_disagreement:.3f}"
    for one in card.perturbations:
        yield f"{one.name} changes the verdict", _perturbation(one)
    if card.length is not None:
        against = "verdict less label" if card.length.against_labels else "verdict"
        yield f"{against} for an answer twice as long", _signed(card.length.slope, card.length.interval)
    yield "answers that could not be read", share_text(card.parse_failures)
    for kind, count in card.failures.items():
        yield f"failed: {kind}", f"{count} of {card.judgements}"
    if card.latency_p50_ms is not None:
        yield "latency p50, p95", f"{card.latency_p50_ms:,.0f} ms, {card.latency_p95_ms:,.0f} ms"
    tokens = f"{card.calls:,} calls, {card.input_tokens:,} + {card.output_tokens:,} tokens"
    cost = card.cost_per_1000_usd
    yield "used", f"{tokens}, {'price not known' if cost is None else f'{cost:.4f} USD for 1,000 judgements'}"
    if card.answered_by:
        yield "answered by", ", ".join(card.answered_by)


def _perturbation(of: Perturbation) -> str:
    if of.changed is None:
        return f"not tried: {of.why_not}"
    shift = f"; mean shift {_signed(of.mean_shift, of.shift_interval)}" if of.mean_shift is not None else ""
    return f"{share_text(of.changed)}{shift}"


def _signed(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "not known: too few contents, or all of one length"
    limits = f" [{interval[0]:+.3f}, {interval[1]:+.3f}]" if interval else ""
    return f"{value:+.3f}{limits}"
