"""Texts of participants, without what databases, tables and spreadsheets cannot bear."""


def plain_text(text: str) -> str:
    """Return a text without what neither databases nor tables can have; spreadsheets take none for a formula."""
    kept = "".join(each for each in text.replace("\r\n", "\n") if each == "\n" or each.isprintable()).strip()
    return f" {kept}" if kept.startswith(("=", "+", "-", "@")) else kept
