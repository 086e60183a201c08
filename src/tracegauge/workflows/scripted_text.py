"""The scripted model's prose: words without meaning, and as cheap to produce as a slice of a string."""

import random

_SENTENCE = (
    "the model answers with words that mean nothing but always come in one order because tests and benchmarks need "
    "text of a known length which no network has to deliver and nobody has to pay for so every run is like the last"
)
_PROSE = " ".join(random.Random(0).choices(_SENTENCE.split(), k=4000)) + " "
_WORD_STARTS = [i + 1 for i, character in enumerate(_PROSE[:-1]) if character == " "]


def text_for(digest: bytes, characters: int) -> str:
    """A text of this length; another digest gives another one, with very few exceptions."""
    start = _WORD_STARTS[int.from_bytes(digest[:8], "big") % len(_WORD_STARTS)]
    prose = _PROSE * (1 + (start + characters) // len(_PROSE))
    return prose[start : start + characters].capitalize()
