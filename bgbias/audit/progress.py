"""What an audit says while it works: how long it will take, and which step it is at."""

from collections.abc import Iterator


def steps(*names: str) -> Iterator[None]:
    """Say, at each `next`, which step of a stage begins and what it does, as "3 of 7: embeddings"."""
    for number, name in enumerate(names, start=1):
        print(f"{number} of {len(names)}: {name}", flush=True)
        yield


def cost(
    pictures: int, passes: int, input_px: int, seconds_each: float, others: int = 0, seconds_other: float = 0.0
) -> str:
    """Say what is embedded, and how long it takes.

    Args:
        pictures: that are left to embed.
        passes: of pictures through the model that attention maps take; 0: there are none.
        input_px: side of the pictures.
        seconds_each: how long one takes.
        others: photos of a gallery that are left to look through for near-duplicates.
        seconds_other: how long one of these takes.

    >>> cost(6300, 18000, 224, 0.01)
    '6,300 pictures of 224 px, and attention maps that take as long as 18,000: about 4 min here'
    >>> cost(900, 0, 64, 0.001)
    '900 pictures of 64 px: about 1 s here'
    >>> cost(0, 0, 64, 0.0)
    'all pictures have been embedded before'
    >>> cost(900, 0, 64, 0.001, 20000, 0.003)
    '900 pictures of 64 px, and near-duplicates of queries looked for among 20,000 photos: about 61 s here'
    """
    before = "all pictures have been embedded before"
    if not pictures and not others:
        return before
    maps = f", and attention maps that take as long as {passes:,}" if passes else ""
    looked = f", and near-duplicates of queries looked for among {others:,} photos" if others else ""
    seconds = (pictures + passes) * seconds_each + others * seconds_other
    time = f"{max(1, round(seconds))} s" if seconds < 100 else f"{round(seconds / 60)} min"
    time = time if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"
    embedded = f"{pictures:,} pictures of {input_px} px{maps}" if pictures else before
    return f"{embedded}{looked}: about {time} here"
