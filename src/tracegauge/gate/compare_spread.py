"""By how much two runs of the same code differ: from runs of the same code where there are enough, else a default."""

from collections.abc import Iterable
from math import log

from tracegauge.gate.compare_runs import SavedRun
from tracegauge.results.comparison import Spread
from tracegauge.statistics.two_samples import spread_of_sessions

DEFAULT_SESSION_SD = 0.0406
"""Of identical code, measured in separate sessions of pytest-benchmark on a machine with 2 cores, 23% of medians differ
by more than 5%. If logarithms of such ratios are normal around 0, ln 1.05 = 0.0488 is their 88.5% quantile, which lies
1.20 standard deviations from the middle: 0.0488 / 1.20 = 0.0406."""

FEWEST_SESSIONS = 4
"""With fewer, Student's t makes an estimated spread wider than any honest default."""


def spread_between(runs: Iterable[SavedRun]) -> Spread:
    """The spread of these runs, which lie beside the two that are compared, those two included.

    Runs of one code (commit, packages, settings) on one machine are a group; how much the medians of the same id and
    metric vary within the groups is the estimate. An A/A pair within one campaign can't stand in for it: its cells
    share their blocks, so that it has none of what differs between sessions.
    """
    groups: list[list[SavedRun]] = []
    for run in runs:
        if run.code is None:
            continue
        same = (group for group in groups if group[0].code == run.code and group[0].ref.machine == run.ref.machine)
        group = next(same, None)
        if group is None:
            groups.append([run])
        else:
            group.append(run)
    values = []
    sessions = 1
    for group in groups:
        shared = set.intersection(*(set(run.series) for run in group))
        if len(group) > 1 and shared:
            sessions += len(group) - 1
            centers = [[run.series[key].center for run in group] for key in sorted(shared)]
            values += [[log(center) for center in one] for one in centers if min(one) > 0]
    if sessions < FEWEST_SESSIONS or not values:
        return Spread(
            session_sd=DEFAULT_SESSION_SD,
            source="default",
            explanation=(
                f"a standard deviation of {DEFAULT_SESSION_SD:.1%} between two runs of the same code is assumed, as it "
                f"was once measured on a machine with 2 cores; with {FEWEST_SESSIONS} saved runs of one clean commit "
                "beside these it would be estimated"
            ),
        )
    estimated = spread_of_sessions(values)
    return Spread(
        session_sd=estimated,
        source="saved campaigns",
        sessions=sessions,
        explanation=(
            f"a standard deviation of {estimated:.1%} between two runs of the same code is estimated from saved runs "
            f"beside these ({sessions - 1} degrees of freedom)"
        ),
    )
