"""Views, distillation, the siamese objective, and the folder that comes out."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from torch.nn import functional as F

from regraft.activations.store import ActivationStore
from regraft.backbones import load_backbone
from regraft.backbones.source_heads import source_head
from regraft.core import OptionError, Task
from regraft.pretraining import augment, pretrain
from regraft.pretraining.nearest import nearest_accuracy
from regraft.pretraining.pictures import open_pictures
from regraft.pretraining.pretrain import Pretrained
from regraft.pretraining.recipes import SimSiam, Supervised, Views, departing, preset
from regraft.pretraining.simsiam import SimSiamLearner
from regraft.pretraining.supervised import soft_loss
from regraft.pretraining.teaching import always_asked, taught
from regraft.pretraining.vision_start import fresh_vision
from regraft.tasks import open_task

from . import small_runs


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Pretrained:
    """A network that has learnt the three classes."""
    folder = tmp_path_factory.mktemp("trained")
    recipe = departing(small_runs.RECIPES["supervised"], epochs=12)
    data = small_runs.pictures(folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGRAFT_CACHE", str(folder / "cache"))
        return pretrain(data, "supervised", architecture="test_resnet", recipe=recipe, out=folder / "net", device="cpu")


def test_views_without_chance_are_the_pictures() -> None:
    pictures = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    still = augment.Chance(torch.full((3, 4), 0.5), torch.zeros(3, dtype=torch.bool), torch.zeros(3, 3))
    seen = augment.views(pictures, still, 32, Views(smallest_area=1.0))
    assert torch.allclose(seen, pictures.float(), atol=1e-2)


def test_a_flipped_view_is_the_mirror_image() -> None:
    pictures = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    flipped = augment.Chance(torch.full((2, 4), 0.5), torch.ones(2, dtype=torch.bool), torch.zeros(2, 3))
    seen = augment.views(pictures, flipped, 32, Views(smallest_area=1.0))
    assert torch.allclose(seen, pictures.flip(3).float(), atol=1e-2)


def test_views_of_a_part_are_those_of_the_whole_batch() -> None:
    pictures = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8)
    chance = augment.draw(8, torch.Generator().manual_seed(1))
    whole = augment.views(pictures, chance, 24, Views())
    part = augment.views(pictures[4:], chance.part(slice(4, 8)), 24, Views())
    assert torch.allclose(whole[4:], part, atol=1e-4)
    assert whole.shape == (8, 3, 24, 24)
    assert 0 <= float(whole.min()) < float(whole.max()) <= 255


def test_the_soft_loss_is_the_divergence_of_softened_outputs() -> None:
    said, wanted = torch.randn(4, 7, dtype=torch.double), torch.randn(4, 7, dtype=torch.double)
    p, q = (wanted / 3).softmax(dim=1), (said / 3).softmax(dim=1)
    assert torch.allclose(soft_loss(said, wanted, 3.0), 9 * (p * (p / q).log()).sum())
    assert float(soft_loss(wanted, wanted, 3.0)) == pytest.approx(0, abs=1e-9)


def test_a_teacher_says_what_its_own_network_says(trained: Pretrained, tmp_path: Path) -> None:
    teacher = load_backbone(str(trained.folder))
    samples = open_pictures(Path(trained.call.data), 32, 0).train.samples[:5]
    told = taught(teacher, samples, ActivationStore(tmp_path), offline=True, device="cpu")
    network = timm.create_model(f"local-dir:{trained.folder}", pretrained=True).eval()
    with torch.inference_mode():
        wanted = network(teacher.collate([teacher.preprocess(sample) for sample in samples])[0])
    assert torch.allclose(told.outputs(list(range(5)), torch.zeros(())), wanted, atol=1e-4)


def test_a_teacher_may_look_at_the_views_themselves(trained: Pretrained) -> None:
    teacher = load_backbone(str(trained.folder))
    told = always_asked(teacher, side=48, offline=True, device="cpu", low_precision=False)
    views = 255 * torch.rand(3, 3, 32, 32)
    network = timm.create_model(f"local-dir:{trained.folder}", pretrained=True).eval()
    larger = torch.nn.functional.interpolate(views, size=(48, 48), mode="bilinear")
    mean, std = (torch.tensor(one).view(1, 3, 1, 1) for one in (teacher.passport.mean, teacher.passport.std))
    with torch.inference_mode():
        wanted = network((larger / 255 - mean) / std)
    assert torch.allclose(told.outputs([0, 1, 2], views), wanted, atol=1e-4)
    assert told.classes == 3


def test_the_folder_is_a_backbone_with_its_source_head(trained: Pretrained) -> None:
    backbone = load_backbone(str(trained.folder))
    assert trained.last.metrics["accuracy"] > 0.9
    assert (backbone.passport.name, backbone.passport.input_size) == ("net", (32, 32))
    assert backbone.passport.source_data == "data (45 pictures of 3 classes)"
    head, classes = source_head(backbone.passport), ("class0", "class1", "class2")
    assert head.outputs_for(classes) == {0: 0, 1: 1, 2: 2}
    samples = open_pictures(Path(trained.call.data), 32, 0).train.samples
    with torch.inference_mode():
        state = backbone.run(backbone.collate([backbone.preprocess(one) for one in samples]), 0, len(backbone.outline))
        said = head.module(backbone.pool(state, len(backbone.outline) - 1)).argmax(dim=1)
    wanted = torch.tensor([classes.index(Path(one.path).parent.name) for one in samples])
    assert float((said == wanted).float().mean()) > 0.9


def test_card_recipe_and_log_stand_beside_the_weights(trained: Pretrained) -> None:
    card = (trained.folder / "README.md").read_text()
    assert "45 pictures of 3 classes" in card
    assert f"| accuracy | {trained.last.metrics['accuracy']:.4f} |" in card
    assert json.loads((trained.folder / "recipe.json").read_text())["recipe"]["schedule"]["epochs"] == 12
    assert len((trained.folder / "log.jsonl").read_text().splitlines()) == 3


def test_pretraining_goes_on_from_a_backbone(trained: Pretrained, tmp_path: Path) -> None:
    recipe = departing(small_runs.RECIPES["supervised"], epochs=0.5, learning_rate=1e-7)
    source = str(trained.folder)
    again = pretrain(
        trained.call.data, "supervised", source=source, recipe=recipe, out=tmp_path / "again", device="cpu"
    )
    old, new = (load_backbone(str(one.folder)).module.state_dict() for one in (trained, again))
    assert torch.allclose(old["layer1.0.conv1.weight"], new["layer1.0.conv1.weight"], atol=1e-4)
    assert again.last.metrics["accuracy"] > 0.9  # its classifier goes on too
    assert "Pre-training went on from net." in (again.folder / "README.md").read_text()


def test_no_gradient_reaches_the_view_that_is_predicted() -> None:
    learner = SimSiamLearner(fresh_vision("test_resnet", 32, 0), SimSiam(projection=16))
    learner.predict = torch.nn.Sequential(torch.nn.Linear(16, 16))
    learner.predict[0].weight.data.zero_()  # then the loss depends on no parameter before it
    learner(torch.rand(4, 3, 32, 32) * 255, torch.rand(4, 3, 32, 32) * 255).backward()
    assert float(learner.project[0].weight.grad.abs().max()) == 0


def test_the_nearest_neighbours_vote() -> None:
    known = F.normalize(torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]), dim=1)
    asked = F.normalize(torch.tensor([[1.0, 0.05], [0.1, 1.0]]), dim=1)
    assert nearest_accuracy(known, torch.tensor([0, 0, 1]), asked, torch.tensor([0, 1])) == 1.0


def test_pictures_of_one_class_are_refused(tmp_path: Path) -> None:
    data = small_runs.pictures(tmp_path / "data")
    for folder in ("class1", "class2"):
        for file in (data / folder).iterdir():
            file.rename(data / "class0" / f"{folder}-{file.name}")
        (data / folder).rmdir()
    with pytest.raises(OptionError, match="fewer than two classes"):
        pretrain(data, "supervised", architecture="test_resnet", out=tmp_path / "net", device="cpu")


def test_held_out_pictures_are_never_learnt_from(tmp_path: Path) -> None:
    pictures = open_pictures(small_runs.pictures(tmp_path / "data"), 32, 0)
    train, aside = ({one.digest for one in bank.samples} for bank in (pictures.train, pictures.held_out))
    assert aside
    assert not train & aside


def test_shards_give_the_pictures_of_both_splits(shared: Path) -> None:
    pictures = open_pictures(shared / "data" / "tiny-imagenet" / "val-000.tar.gz", 64, 0)
    task: Task = open_task(shared / "data" / "tiny-imagenet" / "val-000.tar.gz")
    assert len(pictures.train) + len(pictures.held_out) == sum(map(len, task.splits.values()))
    assert pictures.classes == task.classes


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(OptionError, match="use standard, resnet-small"):
        preset("nonsense", "supervised")
    with pytest.raises(OptionError, match="--length"):
        departing(Supervised(), length=16)
    assert departing(Supervised(), input_size=48) == replace(Supervised(), views=Views(sizes=((0.0, 48),)))
