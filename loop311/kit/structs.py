"""Types that msgspec reads, learnt before threads use them."""

from __future__ import annotations

import msgspec


def learn(*types: object) -> None:
    """To be called below the definition of each type that is read in a web process or the worker.

    msgspec 0.22 learns how a type is read at its first use, and lets other threads see it half learnt meanwhile: the process
    ends with a segmentation fault (seen when a busy web server had just been started). A module is imported by one thread.
    """
    for each in types:
        msgspec.json.Decoder(each)
