"""The job of a worker, without a queue."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from gandl_shared.db import LeasedBatch
from gandl_shared.errors import Conflict, Full, GandlError, NotFound, Unavailable
from gandl_shared.imaging import IntensityLimits, Preprocessing, prepare_field, read_site, site_metrics
from gandl_shared.jobs import patience
from gandl_shared.models.numerics import Numerics, code_of
from gandl_shared.plates import SiteId
from gandl_shared.schemas.screen import Progress, ScreenState
from gandl_shared.store import Profiles
from gandl_shared.testing import FAKE_NUMERICS, PATIENCE, FakeEmbedder, fake_card, wait_until
from gandl_worker.screens import run_batch, run_screen

from tests.worker.bench import Bench

"""Seconds after which a test gives up waiting; a busy machine needs more than the usual fraction of one."""


def failing_with(error: Exception) -> FakeEmbedder:
    def fail(_: object) -> None:
        raise error

    return FakeEmbedder(before=fail)


def test_a_screen_from_images_to_vectors(bench: Bench) -> None:
    screen_id = bench.submit()
    progress: list[Progress] = []
    status = run_screen(bench.db, bench.store, FakeEmbedder(), screen_id, progress.append)
    assert (status.state, status.progress) == (ScreenState.ANALYSING, Progress(sites=24, done=24, parked=0))
    assert [p.done for p in progress] == [0, 8, 16, 24]
    profiles = bench.store.profiles(screen_id)
    assert profiles.vectors.shape == (24 * 4, 512)
    assert list(dict.fromkeys(profiles.wells)) == [w.well for w in bench.db.screens.wells(screen_id)]
    assert list(zip(profiles.sites[:8], profiles.tiles[:8], strict=True)) == [(s, t) for s in "12" for t in range(4)]
    assert [(int(y), int(x)) for y, x in zip(profiles.y[:4], profiles.x[:4], strict=True)] == [
        (0, 0),
        (0, 16),
        (16, 0),
        (16, 16),
    ]
    assert len(bench.db.analyses.of_screen(screen_id)) == 1


def test_vectors_depend_neither_on_batches_nor_on_their_order(bench: Bench) -> None:
    one, many = bench.submit(sites_per_batch=24), bench.submit(sites_per_batch=5)
    run_screen(bench.db, bench.store, FakeEmbedder(), one)
    for batch_id in reversed(bench.db.batches.queued_ids(many)):
        lease = bench.db.batches.lease("test", 60, batch_id=batch_id)
        run_batch(bench.db, bench.store, FakeEmbedder(), lease)
    first, second = bench.store.profiles(one), bench.store.profiles(many)
    np.testing.assert_array_equal(first.vectors, second.vectors)
    assert list(first.keys) == list(second.keys)
    assert list(first.wells) == list(second.wells)


def test_sites_that_cannot_be_read_are_parked_and_the_others_go_on(bench: Bench) -> None:
    screen_id = bench.submit()
    broken, missing = bench.plate.image("B01", site=2), bench.plate.image("C03", channel=2)
    broken.write_bytes(broken.read_bytes()[:300])
    missing.unlink()
    status = run_screen(bench.db, bench.store, FakeEmbedder(), screen_id)
    assert status.progress == Progress(sites=24, done=22, parked=2)
    assert [(p.well, p.site) for p in status.parked] == [("B01", "2"), ("C03", "1")]
    assert "B01_s2_w1.tif" in status.parked[0].error
    assert "no longer there" in status.parked[1].error
    assert len(bench.store.profiles(screen_id)) == 22 * 4


def test_every_site_has_the_metrics_of_its_field(bench: Bench) -> None:
    screen_id = bench.submit()
    run_screen(bench.db, bench.store, FakeEmbedder(), screen_id)
    profiles, limits = bench.store.profiles(screen_id), bench.db.screens.get(screen_id).limits["P1"]
    how = Preprocessing(limits=IntensityLimits(low=limits.low, high=limits.high), size=fake_card().size, downscale=1)
    for well, site in (("A01", 1), ("D03", 2)):
        files = [bench.plate.image(well, site=site, channel=c) for c in (1, 2)]
        expected = site_metrics(prepare_field(read_site(files), how))
        of_site = (profiles.wells == well) & (profiles.sites == str(site))
        for name in ("sharpness", "saturated", "structure"):
            np.testing.assert_array_equal(getattr(profiles, name)[of_site], [getattr(expected, name)] * 4)


def test_every_site_with_vectors_has_a_thumbnail_under_the_limits_of_its_plate(bench: Bench) -> None:
    screen_id = bench.submit()
    bench.plate.image("B01", site=2).unlink()
    run_screen(bench.db, bench.store, FakeEmbedder(), screen_id)
    thumbnails = {each.site: each for each in bench.store.all_thumbnails(screen_id)}
    profiles, limits = bench.store.profiles(screen_id), bench.db.screens.get(screen_id).limits["P1"]
    assert list(thumbnails) == list(dict.fromkeys(map(SiteId, profiles.plates, profiles.wells, profiles.sites)))
    thumbnail = thumbnails[SiteId("P1", "D03", "2")]
    how = Preprocessing(limits=IntensityLimits(low=limits.low, high=limits.high), size=fake_card().size, downscale=1)
    field = prepare_field(read_site([bench.plate.image("D03", site=2, channel=c) for c in (1, 2)]), how)
    # Squares of 8 pixels fall on the blocks of JPEG, so that little is lost.
    assert np.abs(thumbnail.field.pixels().astype(float) - field).mean() < 8
    rows = (profiles.wells == "D03") & (profiles.sites == "2")
    assert (thumbnail.height, thumbnail.width, thumbnail.key) == (32, 32, profiles.keys[rows][0])
    tile = field[:, thumbnail.y : thumbnail.y + 16, thumbnail.x : thumbnail.x + 16]
    assert np.abs(thumbnail.tile.pixels().astype(float) - tile).mean() < 8
    vectors = profiles.vectors[rows]
    nearest = np.square(vectors - np.median(vectors, axis=0)).sum(axis=1).argmin()
    assert (thumbnail.y, thumbnail.x) == (profiles.y[rows][nearest], profiles.x[rows][nearest])


def test_profiles_without_metrics_are_replaced(bench: Bench) -> None:
    screen_id = bench.submit(sites_per_batch=24)
    run_screen(bench.db, bench.store, FakeEmbedder(), screen_id)
    whole = bench.store.profiles(screen_id)
    names = ("plates", "wells", "sites", "tiles", "y", "x", "keys", "vectors")
    for old, tiles in ((Profiles(**{name: getattr(whole, name) for name in names}), 96), (whole, 0)):
        again = bench.submit(sites_per_batch=24)
        bench.store.put_vectors(again, 0, old)
        embedder = FakeEmbedder()
        run_screen(bench.db, bench.store, embedder, again)
        assert embedder.tiles == tiles
        np.testing.assert_array_equal(bench.store.profiles(again).structure, whole.structure)


def test_retry_embeds_only_what_is_missing(bench: Bench) -> None:
    screen_id = bench.submit()
    image = bench.plate.image("B01", site=2)
    whole = image.read_bytes()
    image.write_bytes(whole[:300])
    run_screen(bench.db, bench.store, FakeEmbedder(), screen_id)
    image.write_bytes(whole)
    analysis = bench.db.analyses.lease("test", 60)
    bench.db.analyses.finish(analysis)
    bench.db.screens.retry(screen_id)
    again = FakeEmbedder()
    status = run_screen(bench.db, bench.store, again, screen_id)
    assert status.progress == Progress(sites=24, done=24, parked=0)
    assert again.tiles == 4
    fresh = bench.submit()
    run_screen(bench.db, bench.store, FakeEmbedder(), fresh)
    for name in ("vectors", "sharpness", "saturated", "structure"):
        stored, expected = (getattr(bench.store.profiles(i), name) for i in (screen_id, fresh))
        np.testing.assert_array_equal(stored, expected)
    assert list(bench.store.all_thumbnails(screen_id)) == list(bench.store.all_thumbnails(fresh))


def test_what_a_lost_worker_stored_is_not_embedded_again_unless_the_image_changed(bench: Bench) -> None:
    screen_id = bench.submit(sites_per_batch=24)
    late = bench.db.batches.lease("late", 60)
    bench.db.batches.renew(late, -1)
    lease = bench.db.batches.lease("next", 60)
    first, second = FakeEmbedder(), FakeEmbedder()
    assert not run_batch(bench.db, bench.store, first, late).accepted
    changed = bench.plate.image("A01")
    changed.write_bytes(bench.plate.image("D03").read_bytes())
    assert run_batch(bench.db, bench.store, second, lease).accepted
    assert (first.tiles, second.tiles) == (96, 4)
    assert len(bench.store.profiles(screen_id)) == 96


@pytest.mark.parametrize("error", [Full("full", retry_after=3600), Unavailable("starting")])
def test_a_model_service_that_is_full_or_away_costs_no_attempt(
    bench: Bench, error: GandlError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch waits as if no worker had tried it."""
    monkeypatch.setattr(patience, "FIRST_WAIT_SECONDS", 3600.0)
    monkeypatch.setattr(patience, "MAX_WAIT_SECONDS", 3600.0)
    screen_id = bench.submit(sites_per_batch=24)
    lease = bench.db.batches.lease("test", 60)
    assert bench.db.screens.status(screen_id).state is ScreenState.EMBEDDING
    assert not run_batch(bench.db, bench.store, failing_with(error), lease).accepted
    status = bench.db.screens.status(screen_id)
    assert (status.state, status.progress.parked) == (ScreenState.QUEUED, 0)
    assert bench.db.waiting().batches == 0


def test_a_batch_that_keeps_failing_is_parked_with_its_error(bench: Bench) -> None:
    screen_id = bench.submit(sites_per_batch=24)
    embedder = failing_with(RuntimeError("no such layer"))
    status = run_screen(bench.db, bench.store, embedder, screen_id)
    assert status.state is ScreenState.FAILED
    assert "RuntimeError: no such layer" in (status.error or "")
    assert status.progress.parked == 24


def test_vectors_of_two_models_are_never_mixed(bench: Bench) -> None:
    class Other(FakeEmbedder):
        @property
        def model_id(self) -> str:
            return "f" * 64

    screen_id = bench.submit()
    with pytest.raises(Conflict, match="planned for model fake"):
        run_screen(bench.db, bench.store, Other(fake_card(name="other")), screen_id)
    lease = bench.db.batches.lease("test", 60)
    run_batch(bench.db, bench.store, Other(), lease)
    assert bench.db.screens.status(screen_id).progress.done == 0
    with pytest.raises(NotFound):
        bench.store.profiles(screen_id)


def test_a_cancelled_screen_stops_and_a_deleted_one_leaves_no_file(bench: Bench) -> None:
    for act in (bench.db.screens.cancel, bench.db.screens.delete):
        screen_id = bench.submit(sites_per_batch=24)
        lease = bench.db.batches.lease("test", 60, screen_id=screen_id)
        done: list[str] = []

        def stop(
            _: object, act: Callable[[str], None] = act, screen_id: str = screen_id, done: list[str] = done
        ) -> None:
            if not done:
                act(screen_id)
                done.append(screen_id)

        assert not run_batch(bench.db, bench.store, FakeEmbedder(before=stop), lease).accepted
    assert bench.store.documents(screen_id) == ()
    with pytest.raises(NotFound):
        bench.store.profiles(screen_id)


def renewal_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("renewal of")]


def test_a_lease_is_renewed_while_the_model_works(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model answers only after the lease was renewed three times."""
    bench.submit(sites_per_batch=24)
    lease = bench.db.batches.lease("test", 60)
    renewed = threading.Semaphore(0)
    renew = bench.db.batches.renew

    def count(batch: LeasedBatch, _: float) -> bool:
        accepted = renew(batch, 60)
        renewed.release()
        return accepted

    def wait(_: object) -> None:
        assert all(renewed.acquire(timeout=PATIENCE) for _ in range(3))

    monkeypatch.setattr(bench.db.batches, "renew", count)
    assert run_batch(bench.db, bench.store, FakeEmbedder(before=wait), lease, seconds=0.1).accepted


def test_a_lost_lease_ends_the_work_early(bench: Bench) -> None:
    """24 sites of 4 tiles go to the model in two calls; the second call is not made."""
    screen_id = bench.submit(sites_per_batch=24)
    lease = bench.db.batches.lease("test", 60)

    def cancel(_: object) -> None:
        bench.db.screens.cancel(screen_id)
        wait_until(lambda: not renewal_threads(), what="the renewal that is refused")

    embedder = FakeEmbedder(before=cancel)
    assert not run_batch(bench.db, bench.store, embedder, lease, seconds=0.1).accepted
    assert embedder.calls == 1


def test_decoding_stays_a_few_sites_ahead(bench: Bench) -> None:
    """While the model holds up the first sites, most files are still untouched."""
    bench.submit(sites_per_batch=24)
    lease = bench.db.batches.lease("test", 60)
    untouched = [site.site.files for site in lease.sites[23:]]

    def remove(_: object) -> None:
        for files in untouched:
            for file in files:
                file.unlink(missing_ok=True)

    finished = run_batch(bench.db, bench.store, FakeEmbedder(before=remove), lease)
    status = bench.db.screens.status(finished.screen_id)
    assert [(p.well, p.site) for p in status.parked] == [("D03", "2")]


def test_progress_is_seen_by_others_while_a_screen_runs(bench: Bench) -> None:
    screen_id = bench.submit()
    thread = threading.Thread(target=run_screen, args=(bench.db, bench.store, FakeEmbedder(), screen_id))
    thread.start()
    wait_until(lambda: bench.db.screens.status(screen_id).progress.done == 24, what="all sites")
    thread.join(PATIENCE)


def test_a_screen_waits_for_a_model_that_is_full_for_a_moment(bench: Bench) -> None:
    refusals = [Full("full", retry_after=0.3)] * 4

    def refuse(_: object) -> None:
        if refusals:
            raise refusals.pop()

    status = run_screen(bench.db, bench.store, FakeEmbedder(before=refuse), bench.submit())
    assert (status.state, status.progress.done) == (ScreenState.ANALYSING, 24)


def test_a_screen_takes_over_what_a_dead_process_held(bench: Bench) -> None:
    screen_id = bench.submit()
    bench.db.batches.renew(bench.db.batches.lease("dead", 60, screen_id=screen_id), -1)
    status = run_screen(bench.db, bench.store, FakeEmbedder(), screen_id)
    assert (status.state, status.progress.done) == (ScreenState.ANALYSING, 24)


class OtherWay(FakeEmbedder):
    """The same model on another device, or in another precision."""

    def __init__(self, **fields: str) -> None:
        super().__init__()
        self._numerics = FAKE_NUMERICS.model_copy(update=fields)

    @property
    def numerics(self) -> Numerics:
        return self._numerics


@pytest.mark.parametrize("fields", [{"provider": "cuda"}, {"provider": "openvino", "precision": "bfloat16"}])
def test_a_screen_goes_on_only_as_it_was_begun(bench: Bench, fields: dict[str, str]) -> None:
    screen_id = bench.submit(sites_per_batch=12)
    run_batch(bench.db, bench.store, FakeEmbedder(), bench.db.batches.lease("test", 60))
    other = OtherWay(**fields)
    status = run_screen(bench.db, bench.store, other, screen_id)
    assert (status.progress.done, status.progress.parked, other.calls) == (12, 12, 0)
    assert "begun with vectors of numpy.float32" in status.parked[0].error
    assert "submit the screen again" in status.parked[0].error


def test_two_workers_that_begin_in_two_ways_cannot_both_end(bench: Bench) -> None:
    screen_id = bench.submit(sites_per_batch=12)
    first, second = (bench.db.batches.lease("test", 60) for _ in range(2))
    assert run_batch(bench.db, bench.store, FakeEmbedder(), first).accepted
    run_batch(bench.db, bench.store, OtherWay(provider="cuda"), second)
    assert bench.db.screens.status(screen_id).progress.done == 12
    assert run_screen(bench.db, bench.store, FakeEmbedder(), screen_id).progress.done == 24
    assert {code_of(key) for key in bench.store.profiles(screen_id).keys} == {FAKE_NUMERICS.code}


def test_vectors_of_another_device_are_computed_again(bench: Bench) -> None:
    screen_id = bench.submit(sites_per_batch=24)
    lease = bench.db.batches.lease("test", 60)
    run_batch(bench.db, bench.store, FakeEmbedder(), lease)
    stored, again, other = bench.store.vectors(screen_id, 0), FakeEmbedder(), OtherWay(device="another")
    for embedder, calls in ((again, 0), (other, 2)):
        bench.store.put_vectors(screen_id, 0, stored)
        run_batch(bench.db, bench.store, embedder, lease)
        assert embedder.calls == calls
    assert {code_of(key) for key in bench.store.vectors(screen_id, 0).keys} == {other.numerics.code}


def test_each_key_names_the_server_that_answered(bench: Bench) -> None:
    class Servers(FakeEmbedder):
        """One address, behind which each call is answered by another device."""

        @property
        def numerics(self) -> Numerics:
            return FAKE_NUMERICS.model_copy(update={"device": f"server{self.calls}"})

    screen_id = bench.submit(sites_per_batch=24)
    servers = Servers()
    run_batch(bench.db, bench.store, servers, bench.db.batches.lease("test", 60))
    codes = [code_of(key) for key in bench.store.vectors(screen_id, 0).keys]
    answered = [f"server{call}" for call in range(1, servers.calls + 1)]
    assert [code.split(".")[2] for code in dict.fromkeys(codes)] == answered
    assert len(answered) > 1
