"""The store finds by content, and survives damage, kills, rivals and its budget."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from regraft.activations.extract import boundary_activations, pooled_features, views_within
from regraft.activations.store import ActivationStore, NoRoomError
from regraft.backbones import load_backbone
from regraft.backbones.contract import Backbone, features
from regraft.core import OptionError, TextSample
from regraft.demo import intents_folder
from regraft.tasks import open_task

SAMPLES = tuple(TextSample(f"t:{i}", f"a {'rather longer ' * (i % 4)}text about matter number {i}") for i in range(40))


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone("bundled:minilm")


def test_a_second_pass_computes_nothing_and_gives_the_same_bytes(backbone: Backbone, tmp_path: Path) -> None:
    first, one = pooled_features(backbone, SAMPLES, ActivationStore(tmp_path))
    second, two = pooled_features(backbone, SAMPLES, ActivationStore(tmp_path))
    assert (one.computed, two.computed, two.engine) == (40, 0, "store")
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_stored_features_are_in_order_and_equal_the_trunk(backbone: Backbone, tmp_path: Path) -> None:
    ours, _ = pooled_features(backbone, SAMPLES[::-1], ActivationStore(tmp_path), precision="fp32")
    with torch.inference_mode():
        state = backbone.collate([backbone.preprocess(one) for one in SAMPLES[::-1]])
        theirs = features(backbone, state)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-3, atol=1e-4)


def test_what_changes_an_activation_is_a_miss(backbone: Backbone, tmp_path: Path) -> None:
    store, few = ActivationStore(tmp_path), SAMPLES[:4]
    pooled_features(backbone, few, store)
    other = replace(few[0], text=few[0].text + "!")
    assert pooled_features(backbone, [*few, other], store)[1].computed == 1
    shorter = replace(backbone, preprocess=replace(backbone.preprocess, max_length=8))
    assert pooled_features(shorter, few, store)[1].computed == 4
    changed = load_backbone("bundled:minilm")
    with torch.no_grad():
        next(changed.module.parameters())[0, 0] += 1e-3
    assert pooled_features(changed, few, store)[1].computed == 4


@pytest.mark.parametrize("damage", ["truncated", "altered", "removed"])
def test_damage_is_noticed_and_mended(backbone: Backbone, tmp_path: Path, damage: str) -> None:
    expected, _ = pooled_features(backbone, SAMPLES[:6], ActivationStore(tmp_path))
    (shard,) = tmp_path.rglob("*.safetensors")
    data = bytearray(shard.read_bytes())
    data[-5] ^= 255
    {
        "truncated": lambda: shard.write_bytes(data[:-100]),
        "altered": lambda: shard.write_bytes(data),
        "removed": shard.unlink,
    }[damage]()
    again, extraction = pooled_features(backbone, SAMPLES[:6], ActivationStore(tmp_path))
    assert extraction.computed == 6
    assert all(np.array_equal(a, b) for a, b in zip(expected, again, strict=True))


def test_a_half_written_shard_is_no_shard(backbone: Backbone, tmp_path: Path) -> None:
    pooled_features(backbone, SAMPLES[:3], ActivationStore(tmp_path))
    (index,) = tmp_path.rglob("*.json")
    index.unlink()  # as after a kill between the two renames
    assert pooled_features(backbone, SAMPLES[:3], ActivationStore(tmp_path))[1].computed == 3


def test_two_processes_may_fill_one_store(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from regraft.activations.extract import pooled_features;"
        "from regraft.activations.store import ActivationStore; from regraft.backbones import load_backbone;"
        "from regraft.demo import intents_folder; from regraft.tasks import open_task;"
        "t = open_task(intents_folder()); b = load_backbone('bundled:minilm');"
        "f, e = pooled_features(b, t.train.samples[:40], ActivationStore(Path(sys.argv[1])));"
        "print(f[-1].sum())"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) for _ in range(2)]
    sums = {one.communicate()[0] for one in both}
    assert [one.returncode for one in both] == [0, 0]
    assert len(sums) == 1
    task = open_task(intents_folder())
    assert (
        pooled_features(load_backbone("bundled:minilm"), task.train.samples[:40], ActivationStore(tmp_path))[1].computed
        == 0
    )


def test_the_least_recently_used_recipe_goes_first(tmp_path: Path) -> None:
    import os

    store = ActivationStore(tmp_path, budget_bytes=25_000)
    for number, name in enumerate(("old", "new", "now")):
        recipe = store.recipe(name)
        os.utime(tmp_path / name / "used", (number, number))
        recipe.append(["key"], {"0": torch.zeros(1, 2500)})
    assert sorted(one.name for one in tmp_path.iterdir()) == ["new", "now"]


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="--cache-dir"):
        ActivationStore(tmp_path / "file" / "cache")


def test_boundary_activations_continue_to_the_same_features(backbone: Backbone, tmp_path: Path) -> None:
    stored = boundary_activations(backbone, SAMPLES, 4, ActivationStore(tmp_path), precision="fp32")
    rows = [7, 2, 30]
    with torch.inference_mode():
        state = backbone.run(stored.batch(rows, 0), 4, len(backbone.outline))
        whole = features(backbone, backbone.collate([backbone.preprocess(SAMPLES[i]) for i in rows]))[-1]
    torch.testing.assert_close(backbone.pool(state, 6), whole, rtol=1e-2, atol=2e-3)


def test_views_follow_the_disk_budget(shared: Path) -> None:
    backbone = load_backbone("scratch:test_resnet")
    sample = open_task(shared / "data" / "vision" / "omniglot20").train.samples[0]
    assert views_within(backbone, 1, sample, 1000, 1 << 40, 40) == 8
    assert views_within(backbone, 1, sample, 1000, 1 << 40, 10) == 3
    assert views_within(backbone, 1, sample, 10**6, 1 << 20, 40) == 1


def test_computing_features_leaves_every_layer_in_its_mode() -> None:
    trunk = load_backbone("bundled:minilm")
    trunk.module.encoder.layer[5].train()  # as in the middle of an epoch
    before = [module.training for module in trunk.module.modules()]
    pooled_features(trunk, SAMPLES[:2], None)
    assert [module.training for module in trunk.module.modules()] == before


def test_a_draft_that_a_rival_finishes_meanwhile_is_no_error(backbone: Backbone, tmp_path: Path) -> None:
    store = ActivationStore(tmp_path)
    recipe = store.recipe("key")
    (tmp_path / "key" / "a.draft").symlink_to(tmp_path / "gone")  # listed, and not there when it is looked at
    assert recipe.missing(["a"]) == [0]


def test_activations_that_a_rival_evicts_can_still_be_read(backbone: Backbone, tmp_path: Path) -> None:
    found = boundary_activations(backbone, SAMPLES[:4], 2, ActivationStore(tmp_path))
    expected = found.batch([0, 3], 0)[0]
    again = boundary_activations(backbone, SAMPLES[:4], 2, ActivationStore(tmp_path))
    shutil.rmtree(tmp_path)
    assert torch.equal(again.batch([0, 3], 0)[0], expected)


def test_features_that_a_rival_evicts_meanwhile_are_computed_again(backbone: Backbone, tmp_path: Path) -> None:
    folders: list[Path] = []

    def evicting(done: int, total: int) -> None:
        if not folders:
            folders.extend(tmp_path.iterdir())
            shutil.rmtree(folders[0])

    expected, _ = pooled_features(backbone, SAMPLES[:4], None)
    pooled_features(backbone, SAMPLES[:2], ActivationStore(tmp_path))
    found, _ = pooled_features(backbone, SAMPLES[:4], ActivationStore(tmp_path), progress=evicting)
    np.testing.assert_allclose(found[-1], expected[-1], atol=1e-4)  # in batches of another size


def test_what_stored_activations_took_is_remembered(backbone: Backbone, tmp_path: Path) -> None:
    _, first = pooled_features(backbone, SAMPLES[:8], ActivationStore(tmp_path))
    _, second = pooled_features(backbone, SAMPLES[:8], ActivationStore(tmp_path))
    assert first.stored_seconds == 0
    assert 0 < second.stored_seconds <= first.seconds
    assert second.computed == 0


def spoilt(shard: Path) -> None:
    """Another byte at the same place, in a file of the same size and time."""
    import os

    facts, data = shard.stat(), bytearray(shard.read_bytes())
    data[-5] ^= 255
    shard.write_bytes(data)
    os.utime(shard, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def test_a_look_up_reads_the_shards_that_it_needs_and_each_once(tmp_path: Path) -> None:
    for key in ("wanted", "other"):
        ActivationStore(tmp_path).recipe("recipe").append([key], {"0": torch.ones(1, 8)})
    recipe = ActivationStore(tmp_path).recipe("recipe")
    assert recipe.missing(["wanted"]) == []
    shards = {path.stem: path for path in tmp_path.rglob("*.safetensors")}
    for name, shard in shards.items():
        if "other" in (tmp_path / "recipe" / f"{name}.json").read_text():
            other = shard
        else:
            wanted = shard
    spoilt(other)
    spoilt(wanted)
    again = ActivationStore(tmp_path).recipe("recipe")
    assert again.missing(["wanted"]) == []  # read before in this process
    assert other.exists()  # no key of it was asked for
    assert again.missing(["wanted", "other"]) == [1]
    assert not other.exists()


def test_a_damaged_shard_hides_no_sound_one_with_the_same_keys(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        ActivationStore(tmp_path).recipe("recipe").append(["key"], {"0": torch.full((1, 8), value)})
    spoilt(max(tmp_path.rglob("*.safetensors")))
    recipe = ActivationStore(tmp_path).recipe("recipe")
    assert recipe.missing(["key"]) == []
    assert recipe.place("key").shard == next(tmp_path.rglob("*.safetensors"))


def test_what_the_budget_cannot_hold_is_not_begun(backbone: Backbone, tmp_path: Path) -> None:
    boundary_activations(backbone, SAMPLES, 2, ActivationStore(tmp_path / "a"))
    size = sum(shard.stat().st_size for shard in (tmp_path / "a").rglob("*.safetensors"))
    small, large = (ActivationStore(tmp_path / name, int(share * size)) for name, share in (("b", 0.9), ("c", 1.1)))
    with pytest.raises(NoRoomError, match="--cache-dir"):
        boundary_activations(backbone, SAMPLES, 2, small)
    assert not list((tmp_path / "b").rglob("*.safetensors"))
    boundary_activations(backbone, SAMPLES, 2, large)
    assert boundary_activations(backbone, SAMPLES, 2, large).extraction.computed == 0  # what is there needs no room


def test_rows_of_other_seeds_make_room_for_those_that_are_wanted(backbone: Backbone, tmp_path: Path) -> None:
    boundary_activations(backbone, SAMPLES, 2, ActivationStore(tmp_path / "a"), views=1, seed=0)
    size = sum(shard.stat().st_size for shard in (tmp_path / "a").rglob("*.safetensors"))
    store = ActivationStore(tmp_path / "b", int(1.5 * size))
    for seed in (0, 1):
        assert boundary_activations(backbone, SAMPLES, 2, store, views=1, seed=seed).extraction.computed == len(SAMPLES)
    assert sum(shard.stat().st_size for shard in (tmp_path / "b").rglob("*.safetensors")) <= 1.5 * size
    assert boundary_activations(backbone, SAMPLES, 2, store, views=1, seed=1).extraction.computed == 0
