"""What can go wrong with a whole store."""


class StoreError(RuntimeError):
    """A store could not be read, written or verified; source and any older target are as they were.

    The message is for people: what, where, and what would help. The command line exits with 4.
    """


class SourceChangedError(StoreError):
    """The source was written to while it was being read, so what was read may not fit together."""
