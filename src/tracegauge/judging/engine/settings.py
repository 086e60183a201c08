"""How the engine behaves, beside what each judge's file says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EngineSettings:
    """Times in seconds. Tests shorten them; users have the defaults."""

    concurrency: int = 32
    """Calls at the same time to one endpoint, shared by the judges that ask it."""
    code_concurrency: int = 4
    """Judgements by code at the same time, for each judge."""
    read_batch: int = 50
    """Traces read at once."""
    write_batch: int = 64
    """Verdicts written in one transaction, at most."""
    write_after_s: float = 0.2
    """A verdict waits no longer for others to be written with it."""
    poll_s: float = 2.0
    """`watch`: from one look for new traces to the next."""
    overlap_s: float = 600.0
    """`watch`: how far back each look goes; a look at the whole store from time to time finds what came later."""
    full_scan_share: float = 0.05
    """`watch`: share of the time that looks at the whole store may take."""
    breaker_failures: int = 8
    """Failures in a row, that are the endpoint's, after which a judge is not asked for a while."""
    breaker_wait_s: float = 5.0
    """First pause of a broken judge; each further one is twice as long."""
    breaker_longest_s: float = 300.0
    breaker_gives_up: int | None = 3
    """Pauses in a row after which `run` puts off everything that is left of a broken judge; None (`watch`): never."""
    put_off_s: float = 300.0
    """First time that a failed judgement is put off; each further time is twice as long."""
    put_off_longest_s: float = 6 * 3600.0
    session_quiet_s: float = 0.0
    """A conversation is complete when its last trace is so old."""
    store_attempts: int = 6
    """How often a store that is locked, full or unreachable is read or written."""
    store_wait_s: float = 0.5
    """Pause after the first such attempt; each further one is twice as long."""


FOR_A_RUN = EngineSettings()
FOR_A_WATCH = EngineSettings(breaker_gives_up=None, session_quiet_s=300.0)
