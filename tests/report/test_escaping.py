"""Text escaped for Markdown and LaTeX."""

import pytest

from ablate.report.escaping import breakable, latex_escaped, markdown_escaped


@pytest.mark.parametrize("text", ["a|b", "*a*", "<b>", "[a](b)", "![a](b)", "_a_"])
def test_what_markdown_would_read_is_escaped(text: str) -> None:
    assert markdown_escaped(text) != text


def test_what_markdown_would_not_read_stays() -> None:
    for text in ("plain words [0.1, 0.2] (points)", "learning_rate_drops=0.1"):
        assert markdown_escaped(text) == text


def test_latex_takes_every_name_as_text() -> None:
    assert latex_escaped(r"a_b & 50 % of $x$ #1 {y} \z ~ ^ <i> ±1 × 2") == (
        r"a\_\allowbreak{}b \& 50 \% of \$x\$ \#1 \{y\} \textbackslash{}z \textasciitilde{} \textasciicircum{} "
        r"\textless{}i\textgreater{} $\pm$1 $\times$ 2"
    )
    assert latex_escaped("色") == "?"


def test_names_may_break_in_latex_and_numbers_may_not() -> None:
    assert latex_escaped("1,234 of 3/4, -1,000.5 to 2.0e-3") == "1,234 of 3/4, -1,000.5 to 2.0e-3"
    assert latex_escaped("act=relu,rate=0.25") == r"act=\allowbreak{}relu,\allowbreak{}rate=\allowbreak{}0.25"


def test_long_names_may_break_at_separators_in_html_and_numbers_may_not() -> None:
    assert str(breakable("by act=leaky_relu,dropout.rate=0.25")) == "by act=leaky_relu,<wbr>dropout.rate=0.25"
    assert str(breakable("activation.of.the_last=leaky")) == "activation.of.the_last=<wbr>leaky"
    assert str(breakable("activation.of.the_very_last")) == "activation.<wbr>of.<wbr>the_<wbr>very_<wbr>last"
    assert str(breakable("<b> of 1,234 in 0.5, more")) == "&lt;b&gt; of 1,234 in 0.5, more"
