"""The report's pieces are well-formed, show their numbers, and never let text become markup."""

from xml.etree import ElementTree

from train.evaluation.plots import confusion, line_chart, table


def parsed(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)


def test_a_chart_has_a_line_per_series_inside_its_frame():
    chart = parsed(
        line_chart(
            {"a": [(0, 0.0), (1, 1.0)], "b": [(0, 0.5), (1, 2.0)]},
            x_ticks=[(0, "start"), (1, "end")],
            x_label="x",
            y_label="share",
        )
    )
    _, _, width, height = map(float, chart.find("svg").get("viewBox").split())
    dots = chart.findall(".//circle")
    assert len(dots) == 4
    assert all(0 <= float(dot.get("cx")) <= width and 0 <= float(dot.get("cy")) <= height for dot in dots)
    low, high = dots[0], dots[1]
    assert float(low.get("cy")) > float(high.get("cy"))
    assert [dot.find("title").text for dot in dots] == ["0.0%", "100.0%", "50.0%", "200.0%"]


def test_a_table_shows_shares_and_dashes():
    cells = [cell.text for cell in parsed(table(("name", "n", "UA", "WA"), [("x", 3, 0.5, None)])).iter("td")]
    assert cells == ["3", "50.0%", "–"]


def test_confusion_shades_by_row():
    cells = list(parsed(confusion(("a", "b"), [[3, 1], [0, 0]])).iter("td"))
    assert [cell.text for cell in cells] == ["3", "1", "0", "0"]
    assert "0.45)" in cells[0].get("style")


def test_text_stays_text():
    evil = "<script>"
    for markup in (
        table((evil,), [(evil, evil)]),
        confusion((evil,), [[1]]),
        line_chart({evil: [(0, 0.1)]}, x_ticks=[(0, evil)], x_label=evil, y_label=evil),
    ):
        assert evil not in markup
        assert "script" in "".join(parsed(markup).itertext())
