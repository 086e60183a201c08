import pytest

from tracegauge.results.blocks import blocks_in_words


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([3], "block 3"),
        ([4, 0], "blocks 0 and 4"),
        ([0, 1], "blocks 0 and 1"),
        ([0, 1, 2], "blocks 0-2"),
        ([5, 1, 2, 3, 3], "blocks 1-3 and 5"),
        ([0, 2, 4, 5, 6, 7, 9, 10], "blocks 0, 2, 4-7, 9 and 10"),
    ],
)
def test_runs_of_blocks_are_drawn_together(blocks, words):
    assert blocks_in_words(blocks) == words
