"""Sizes of files as text."""


def file_size(size: int) -> str:
    """Return a number of bytes as text: MiB, and below a tenth of one KiB.

    Example:
        >>> file_size(3_000_000), file_size(5_000)
        ('2.9 MiB', '4.9 KiB')
    """
    return f"{size / 2**20:,.1f} MiB" if size >= 2**20 / 10 else f"{size / 2**10:,.1f} KiB"
