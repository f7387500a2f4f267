"""Templates with their CSS inlined before they are compiled."""

import pytest
from jinja2.filters import do_wordwrap

from notification_service.rendering.inlined import load_templates
from notification_service.rendering.wrapping import wrap

PAGES = ["order.html", "link.html", "welcome.html", "notice.html", "test.html"]


@pytest.mark.parametrize("name", PAGES)
def test_a_template_is_whole_and_each_of_its_classes_has_its_style(name):
    text = load_templates()[name]
    assert "{% extends" not in text
    assert "{% include" not in text
    assert "jinja-" not in text
    assert text.count("{% if") == text.count("{% endif %}")
    for styled in ('<td class="outer" align="center" style="', '<td class="footer" style="', '<h1 style="'):
        assert styled in text
    assert text.isascii()


def test_the_style_of_an_element_depends_on_the_elements_around_it():
    text = load_templates()["link.html"]
    button = text[text.index('<td class="button"') :]
    assert button[button.index("<a ") :].split(">")[0].count("display: inline-block") == 1


TEXTS = ["", "short", "a " * 60, "two lines\nand " + "more " * 40, "x" * 200, "one " + "y" * 100 + " two", "a  b " * 40]


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_wrapped_as_jinja_does_it(text):
    class Environment:
        newline_sequence = "\n"

    assert wrap(text, 78) == do_wordwrap(Environment(), text, 78)
