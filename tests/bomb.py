"""A pickle that does something."""

from pathlib import Path


class Bomb:
    """Makes a folder when a pickle of it is read carelessly."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.mkdir, (self.target,)
