"""Which traces a judge sees: a choice that is the same every time, on every machine, in every order."""

import hashlib

_RANGE = 2**64


def sampled(unit_id: str, judge: str, rate: float) -> bool:
    """Whether a judge sees a trace (or session): a hash of both names, as a number in [0, 1), is below the rate.

    So a share `rate` of traces is chosen whatever their ids are like, the choices of two judges have nothing to do with
    each other, and a higher rate adds traces and takes none away.
    """
    digest = hashlib.blake2b(f"{judge}\0{unit_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < rate * _RANGE
