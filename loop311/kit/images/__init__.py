"""What somebody sends as a photo or document: known by its content, and only what we have written ourselves is kept.

A photo is decoded in a process of its own, with limits, and written anew: position and time are read out of it first, then nothing
but its pixels is left. A document is kept as it came, to be downloaded and never shown.
"""

from loop311.kit.images.reading import READ_HERE, Readied, ready

__all__ = ["READ_HERE", "Readied", "ready"]
