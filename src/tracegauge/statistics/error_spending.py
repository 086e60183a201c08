"""Looking several times without being wrong more often: how much of the error rate each look may spend."""

from collections.abc import Sequence
from itertools import pairwise

ALPHA = 0.025
"""The one-sided error rate of each verdict: both sides together make the usual two-sided 5%."""


def spent_at(looks: Sequence[int], alpha: float = ALPHA) -> tuple[float, ...]:
    """The one-sided error rate of each look; together they are `alpha`. `looks`: rising numbers of blocks.

    The error is spent in proportion to the blocks that are measured: alpha(t) = alpha t with t = blocks / last look,
    the spending function of Kim & DeMets 1987 ("Design and analysis of group sequential tests based on the type I error
    spending rate function") with exponent 1, of the kind that Lan & DeMets 1983 introduced. Each look tests at its own
    increment (Slud & Wei 1982): by Bonferroni's inequality the chance of an error at any look is then at most alpha,
    whatever the dependence between looks, and without an assumption of normality. The intervals at those levels hold at
    all looks together (repeated confidence intervals: Jennison & Turnbull 1989).

    With one look, that spends everything. Raises ValueError for looks that don't rise or begin below 1.
    """
    if not looks or looks[0] < 1 or any(b <= a for a, b in pairwise(looks)):
        raise ValueError(f"looks {list(looks)} are not rising numbers of blocks")
    before = (0, *looks[:-1])
    return tuple(alpha * (look - last) / looks[-1] for last, look in zip(before, looks, strict=True))


def next_spent(looks: Sequence[int], blocks: int, alpha: float = ALPHA) -> tuple[tuple[int, float], ...]:
    """The looks that `blocks` blocks allow, as (blocks, error rate of that look), in order.

    Where they end between two looks, such as when the time is up, one more look is taken there, and spends in
    proportion to the blocks since the last planned one: as much as if it had been among the looks.
    """
    last = min(blocks, looks[-1])
    reached = [*(look for look in looks if look < last), last]
    planned = [*reached, *(look for look in looks if look > last)]
    return tuple(zip(reached, spent_at(planned, alpha), strict=False)) if blocks else ()


def sequential_p(p_values: Sequence[float], levels: Sequence[float], alpha: float = ALPHA) -> float:
    """One p-value over looks: at most `alpha` exactly where some look's own p-value is at most its error rate.

    A weighted Bonferroni correction: the smallest p x alpha / level, at most 1.
    """
    return min(1.0, *(p * alpha / level for p, level in zip(p_values, levels, strict=True)))
