"""A correction is made on the page, kept, and learned from; a page with what was learned answers by voice."""

import os

import pytest

from app.page.command import loader
from app.page.host import Host
from app.record.corrections import keys
from app.record.stored import Places
from engine.weights import Sources
from tests.browser.conftest import open_page, record, replies, serve
from tests.browser.test_kept import agree, correct
from tests.browser.test_real_engine import ANSWERED_WITHIN_MS
from train.__main__ import main


@pytest.mark.slow
def test_corrections_made_on_the_page_train_and_the_page_talks_with_the_result(
    browser, engine, tmp_path, monkeypatch
):
    kept, mine = tmp_path / "kept", tmp_path / "mine"
    server, address = serve(
        Host(lambda choice, on_progress: engine), places=Places(tmp_path / "cache", tmp_path / "uploads")
    )
    page = open_page(browser, address)
    page.set_default_timeout(ANSWERED_WITHIN_MS)
    try:
        record(page)
        correct(page, "happy")
        agree(page, kept)
        # Chromium's microphone begins anew: of the same length it would be the same recording.
        record(page, 3.5)
        with page.expect_response("**/corrections/save"):
            correct(page, "surprised", turn=1)
        assert len(keys(kept)) == 2
    finally:
        page.context.close()
        server.close(verbose=False)

    assert main(["finetune", "--recipe", "tiny", "--manifest", str(kept), "--out", str(mine)]) == 0

    monkeypatch.setenv("PROFILE", str(mine))
    host = Host(loader(Sources.from_environment(os.environ)))
    server, address = serve(host)
    page = open_page(browser, address)
    page.set_default_timeout(ANSWERED_WITHIN_MS)
    try:
        assert host.engine.profile == "mine"
        assert not [notice for notice in host.engine.notices if notice.part == "feeling"]
        record(page, 4.0)
        assert page.locator(".turn.user .chip").count() == 1
        assert len(replies(page)[0].split()) >= 2
        assert page.errors == []
    finally:
        page.context.close()
        server.close(verbose=False)
