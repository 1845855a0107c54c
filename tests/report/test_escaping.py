"""Text escaped for Markdown and LaTeX."""

import pytest

from ablate.report.escaping import latex_escaped, markdown_escaped


@pytest.mark.parametrize("text", ["a|b", "*a*", "<b>", "[a](b)", "![a](b)"])
def test_what_markdown_would_read_is_escaped(text: str) -> None:
    assert markdown_escaped(text) != text


def test_what_markdown_would_not_read_stays() -> None:
    assert markdown_escaped("plain words [0.1, 0.2] (points)") == "plain words [0.1, 0.2] (points)"


def test_latex_takes_every_name_as_text() -> None:
    assert latex_escaped(r"a_b & 50 % of $x$ #1 {y} \z ~ ^ <i> ±1 × 2") == (
        r"a\_b \& 50 \% of \$x\$ \#1 \{y\} \textbackslash{}z \textasciitilde{} \textasciicircum{} "
        r"\textless{}i\textgreater{} $\pm$1 $\times$ 2"
    )
    assert latex_escaped("色") == "?"
