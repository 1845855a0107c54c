"""Text escaped for Markdown and LaTeX."""

import shutil
import subprocess
from pathlib import Path

import pytest
from markupsafe import Markup

from ablate.report.escaping import breakable, latex_escaped, markdown_escaped, without_controls


@pytest.mark.parametrize(
    "text",
    ["a|b", "*a*", "<b>", "[a](b)", "![a](b)", "_a_", "$x$", "~a~", "&lt;", "# a", "- a", "1. a", "a\nb"],
)
def test_what_markdown_would_read_is_escaped(text: str) -> None:
    assert markdown_escaped(text) != text


def test_what_markdown_would_not_read_stays() -> None:
    for text in ("plain words [0.1, 0.2] (points)", "learning_rate_drops=0.1", "-0.1", "a & b; c", "1.5 s"):
        assert markdown_escaped(text) == text


def test_latex_takes_every_name_as_text() -> None:
    assert latex_escaped(r"a_b & 50 % of $x$ #1 {y} \z ~ ^ <i> ±1 × 2") == (
        r"a\_\allowbreak{}b \& 50 \% of \$x\$ \#1 \{y\} \textbackslash{}z \textasciitilde{} \textasciicircum{} "
        r"\textless{}i\textgreater{} $\pm$1 $\times$ 2"
    )
    assert latex_escaped("色") == "?"
    assert latex_escaped("ΔE ≤ 2, β₁ of Nguyễn e\u0301") == r"$\Delta$E $\leq$ 2, $\beta$1 of Nguyen é"
    assert latex_escaped("a--b\n\n[1]") == "a-{}-b  [1]"
    assert latex_escaped("[1] b") == "{}[1] b"  # behind the end of a row it would be a length


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_sets_every_character(tmp_path: Path) -> None:
    characters = [*map(chr, range(0x250)), *"αβγδεζηθικλμνξοπρςστυφχψωΓΔΘΛΞΠΣΥΦΨΩ–—‘’“”„•…€™→←№ȘșȚț≤≥≠≈∈∂∇√ℓ∞▲▼○₂ﬁ色"]
    cells = [f"{latex_escaped(each)} & x{latex_escaped(f'a{each}{each}b')} \\\\" for each in characters]
    tables = [
        "\n".join([r"\noindent\begin{tabular}{ll}", *cells[place : place + 40], r"\end{tabular}", "\n"])
        for place in range(0, len(cells), 40)
    ]
    head = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\begin{document}"
    (tmp_path / "all.tex").write_text("\n".join([head, *tables, r"\end{document}"]), encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_names_may_break_in_latex_and_numbers_may_not() -> None:
    assert latex_escaped("1,234 of 3/4, -1,000.5 to 2.0e-3") == "1,234 of 3/4, -1,000.5 to 2.0e-3"
    assert latex_escaped("act=relu,rate=0.25") == r"act=\allowbreak{}relu,\allowbreak{}rate=\allowbreak{}0.25"


def test_long_names_may_break_at_separators_in_html_and_numbers_may_not() -> None:
    assert str(breakable("by act=leaky_relu,dropout.rate=0.25")) == "by act=leaky_relu,<wbr>dropout.rate=0.25"
    assert str(breakable("activation.of.the_last=leaky")) == "activation.of.the_last=<wbr>leaky"
    assert str(breakable("activation.of.the_very_last")) == "activation.<wbr>of.<wbr>the_<wbr>very_<wbr>last"
    assert str(breakable("<b> of 1,234 in 0.5, more")) == "&lt;b&gt; of 1,234 in 0.5, more"


def test_what_commands_terminals_or_turns_texts_around_is_on_no_page() -> None:
    name = "a\x1b[2J\r\u202eb\n\n# c"
    assert markdown_escaped(name) == r"a\\x1b[2J \\u202eb  # c"
    assert without_controls(name) == "a\\x1b[2J\\r\\u202eb\n\n# c"
    assert without_controls(Markup("<b>\x1b")) == Markup(r"<b>\x1b")
    assert isinstance(without_controls(Markup("<b>\x1b")), Markup)
