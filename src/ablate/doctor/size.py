"""Numbers of bytes as text."""

from tqdm import tqdm


def size_text(number: int) -> str:
    """Return a number of bytes as text, as in `1.50GB`."""
    return f"{tqdm.format_sizeof(number)}B"
