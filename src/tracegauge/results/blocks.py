"""Block numbers in words."""

from collections.abc import Iterable


def blocks_in_words(blocks: Iterable[int]) -> str:
    """At least one block, numbered as in `samples.jsonl`: "block 3", "blocks 0, 1 and 4", "blocks 0-5 and 9"."""
    runs: list[list[int]] = []
    for block in sorted(set(blocks)):
        if runs and runs[-1][-1] == block - 1:
            runs[-1].append(block)
        else:
            runs.append([block])
    parts = [part for run in runs for part in ([f"{run[0]}-{run[-1]}"] if len(run) > 2 else map(str, run))]
    *others, last = parts
    if others:
        return f"blocks {', '.join(others)} and {last}"
    return f"blocks {last}" if "-" in last else f"block {last}"
