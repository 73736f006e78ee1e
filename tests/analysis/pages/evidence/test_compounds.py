"""The page of a compound: points that lead to wells, tiles at every dose, and results of other screens."""

from __future__ import annotations

import re
from urllib.parse import quote

from gandl_analysis.figures.pixels.strips import TileChoice

from tests.analysis.service.stack import STRANGE_NAME, Stack


def page(stack: Stack, path: str) -> str:
    answer = stack.client.get(f"/ui/screens/{path}")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_every_point_of_a_curve_leads_to_its_well_and_says_what_it_is(shared_stack: Stack) -> None:
    text = page(shared_stack, f"{shared_stack.first}/compounds/X?version=1")
    points = re.findall(r'<a href="([^"]+)" class="point" aria-label="([^"]+)">', text)
    assert len(points) == 48
    addresses = {address for address, _ in points}
    assert f"/ui/screens/{shared_stack.first}/wells/P1/C04?version=1" in addresses
    assert all(shared_stack.client.get(address).status_code == 200 for address in sorted(addresses)[:2])
    label = next(label for address, label in points if "/C04" in address)
    assert re.fullmatch(r"P1 C04, [\d.]+ [nµ]M, efficacy [+−][\d.]+, off-axis distance [\d.]+, weight [\d.]+", label), (
        label
    )


def test_tiles_go_from_the_lowest_dose_to_the_highest_between_the_controls(shared_stack: Stack) -> None:
    text = page(shared_stack, f"{shared_stack.first}/compounds/X")
    tiles = re.findall(r'<img src="(/screens/[^"]+part=tile)"', text)
    # Doses rise with the column of the plate; the controls are its first and its last one.
    columns = [int(re.search(r"/[A-H](\d\d)/1\?", tile)[1]) for tile in tiles]
    assert columns == [1, 2, 3, 4, 5, 6, 7, 8]
    assert shared_stack.client.get(tiles[3]).headers["content-type"] == "image/png"


def test_best_and_worst_are_stated_and_kept_in_the_address(shared_stack: Stack) -> None:
    base = f"{shared_stack.first}/compounds/X?version=1&choice="
    for choice in TileChoice:
        text = page(shared_stack, base + choice)
        assert choice.rule in text
        assert f'<b aria-current="true">{choice}</b>' in text
    assert "version=1&amp;choice=best" in page(shared_stack, base + "worst").replace(
        "version=1&choice", "version=1&amp;choice"
    )
    refused = shared_stack.client.get(f"/ui/screens/{base}nicest")
    assert refused.status_code == 422


def test_other_results_name_the_other_screens(shared_stack: Stack) -> None:
    text = page(shared_stack, f"{shared_stack.first}/other-results/X")
    assert f"/ui/screens/{shared_stack.second}/compounds/X" in text
    alone = page(shared_stack, f"{shared_stack.second}/other-results/{quote(STRANGE_NAME, safe='')}")
    assert "No other screen has tested" in alone


def test_the_report_has_the_same_tiles_on_its_page_and_in_its_file(shared_stack: Stack) -> None:
    pictures = [
        re.findall(r'<figure class="strip"[^>]*><img src="(data:image/webp;base64,[^"]+)"', text)
        for text in (
            page(shared_stack, shared_stack.second),
            shared_stack.client.get(f"/screens/{shared_stack.second}/report").text,
        )
    ]
    assert pictures[0] == pictures[1]
    assert len(set(pictures[0])) == 4
