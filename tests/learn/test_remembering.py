import shutil
from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold import Digits, Run
from tenfold.data.samples import Samples
from tenfold.data.sources import save
from tenfold.errors import DataError, RecipeError, RunError
from tenfold.learn import backend, compiled, exporting, networks, recipes
from tenfold.learn.adapting import Memorizer
from tenfold.learn.recipe import Remembering
from tenfold.learn.remembering import remembering, with_room
from tenfold.read.model import Model

SETTINGS = Remembering(weight=32, sharpness=5, most=2)
DENSE = 'network={"kind":"dense","units":[128,64]}'
SMALL = 'network={"kind":"convolutional","stages":[[4],[6],[8]]}'


def fresh(name: str = "adapt", *changes: str) -> object:
    return networks.build(recipes.changed(recipes.RECIPES[name], list(changes)))


@pytest.mark.parametrize(
    ("name", "compared"), [("adapt", "conv_3_relu"), ("cnn", "conv_3_relu"), ("mlp", "dense_1_relu"), ("classic", "dense_1")]
)
def test_likeness_is_judged_after_the_last_pooling_or_by_the_first_hidden_layer(name: str, compared: str) -> None:
    assert with_room(fresh(name), 1, SETTINGS).get_layer("memory").maps_of == compared


def test_what_is_remembered_is_read_as_it_was_labelled_and_the_weights_stay(toy: Digits) -> None:
    model = fresh("adapt", SMALL)
    before = model.get_weights()  # type: ignore[attr-defined]
    mine = Digits(toy.images[:6], ((toy.known_labels[:6] + 3) % 10).astype(np.uint8), "mine")
    answers = compiled.forward(remembering(model, mine, toy, SETTINGS))(toy.images[:40])
    assert (answers[:6].argmax(axis=1) == mine.known_labels).all()
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-5)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))  # type: ignore[attr-defined]


def test_of_each_class_the_newest_are_remembered(toy: Digits) -> None:
    digits = Digits(toy.images[:7], np.array([1, 1, 1, 2, 1, 2, 0], np.uint8), "mine")
    labels = remembering(fresh("adapt", SMALL), digits, toy, SETTINGS).get_layer("memory").get_weights()[2]
    assert labels.argmax(axis=1).tolist() == [1, 2, 1, 2, 0]


@pytest.mark.parametrize(("name", "change"), [("adapt", SMALL), ("mlp", "seed=0"), ("classic", "seed=0")])
def test_onnx_answers_as_keras_does(toy: Digits, name: str, change: str) -> None:
    whole = remembering(fresh(name, change), toy[:8], toy, SETTINGS)
    content = exporting.to_onnx(whole, {})
    images = toy.images[:100]
    assert exporting.check(content, images, compiled.forward(whole)(images)) < 1e-5
    plain = exporting.to_onnx(fresh(name, change), {})
    assert Model(content, "a").activations(images[0]).keys() == Model(plain, "b").activations(images[0]).keys()
    assert np.abs(Model(content, "a").probabilities(images) - Model(plain, "b").probabilities(images)).max() > 0.1


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four digits that nobody would read so."""
    path, random = tmp_path_factory.mktemp("hand") / "samples.db", np.random.default_rng(3)
    for label in (3, 8, 3, 8):
        image = random.integers(0, 60, (28, 28)).astype(np.uint8)
        image[4:24, (4 if label == 3 else 20) : (8 if label == 3 else 24)] = 250
        Samples(path).add(image, label, None, b"", "")
    return path


@pytest.fixture(scope="module")
def run(samples: Path, toy_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    changes = [DENSE, "augmentation=null", "rehearsal.n_digits=40", "epochs=1", "batch_size=20", "rehearsal.folds=0"]
    changes += ["rehearsal.kept=0.01"]
    folder = tmp_path_factory.mktemp("runs") / "mine"
    return tenfold.train("adapt", data=str(samples), start_from=toy_run.folder, changes=changes, run=folder)


def test_a_run_remembers(run: Run, samples: Path) -> None:
    new = tenfold.load(samples)
    assert run.metrics["n_remembered"] == 4
    answers = compiled.forward(run.load_model())(new.images)
    assert (answers.argmax(axis=1) == new.known_labels).all()
    assert np.abs(run.probabilities(new.images) - answers).max() < 1e-5
    page = " ".join((run.folder / "report.html").read_text().split())
    assert "learned from 4 new digits" in page
    assert "4 of the new digits are remembered" in page
    assert "among some of the old ones" in page
    plain = networks.build(run.recipe)
    run.load_weights_into(plain)
    assert (compiled.forward(plain)(new.images).argmax(axis=1) != new.known_labels).any(), (
        "the weights alone have not learnt them"
    )


def test_one_can_go_on_from_a_run_that_remembers_and_learn_from_it(run: Run, toy_csv: Path, tmp_path: Path) -> None:
    more = {"data": str(toy_csv), "epochs": 1, "bare": True, "changes": ["batch_size=64"]}
    on = tenfold.train("classic", start_from=run.folder, run=tmp_path / "on", **more)  # type: ignore[arg-type]
    assert "n_remembered" not in on.metrics
    teaching = f'teaching={{"teachers":["{run.folder}"]}}'
    changes = [teaching, "batch_size=64", "validation=0"]
    taught = tenfold.train("classic", run=tmp_path / "taught", **(more | {"changes": changes}))  # type: ignore[arg-type]
    assert taught.finished


def test_what_is_remembered_counts_less_where_it_would_cost_old_digits(toy_run: Run, toy: Digits) -> None:
    wrong = Digits(toy.images[:60], ((toy.known_labels[:60] + 1) % 10).astype(np.uint8), "mislabelled")
    settings = Remembering(weight=32, sharpness=5, most=20)

    def share(model: object) -> float:
        return float((compiled.forward(model)(toy.images[:320]).argmax(axis=1) == toy.known_labels[:320]).mean())

    model = toy_run.load_model()
    alone = share(model)
    assert share(remembering(model, wrong, toy, settings)) < alone - 0.1
    remembered = Memorizer(toy, toy[:320], alone - 0.0005, settings).of(model, wrong)
    assert remembered.n == 60
    assert remembered.strength is not None
    assert remembered.strength < 1
    assert share(remembered.model) >= alone - 0.0005
    images = toy.images[:100]
    content = exporting.to_onnx(remembered.model, {})
    assert exporting.check(content, images, remembered.probabilities(images)) < 1e-5
    assert Memorizer(toy, toy[:320], 0.0, settings).of(model, wrong).strength == 1
    assert Memorizer(toy, toy[:0], 0.9, settings).of(model, wrong).strength == 1


def test_a_run_that_remembers_is_no_start_for_learning_another_hand(run: Run, samples: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="remembers 4 digits, which would be lost"):
        tenfold.train("adapt", data=str(samples), start_from=run.folder, changes=[DENSE], run=tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_a_run_that_was_stopped_is_a_start_all_the_same(run: Run, samples: Path, toy_run: Run, tmp_path: Path) -> None:
    for known in (toy_run, run):
        stopped = shutil.copytree(known.folder, tmp_path / f"stopped-{known.name}")
        (stopped / "metrics.json").unlink()
        weights = networks.build(known.recipe)
        if known is run:  # it saved its weights before anything was remembered
            run.load_weights_into(weights)
            backend.save(weights, stopped / "model.keras")
        changes = [DENSE, "augmentation=null", "rehearsal.n_digits=40", "epochs=1", "batch_size=20", "rehearsal.folds=0"]
        folder = tmp_path / f"from-{known.name}"
        on = tenfold.train("adapt", data=str(samples), start_from=stopped, changes=changes, bare=True, run=folder)
        assert on.n_remembered == 4
        assert Run(stopped).n_remembered == 0


def test_a_blank_digit_is_not_learnt(samples: Path, tmp_path: Path) -> None:
    digits = tenfold.load(samples)
    blank = Digits(
        np.concatenate([digits.images, np.zeros((1, 28, 28), np.uint8)]), np.append(digits.known_labels, np.uint8(0)), "b"
    )
    save(blank, tmp_path / "b.npz")
    with pytest.raises(DataError, match="digit 4, counted from 0, is blank"):
        tenfold.train("adapt", data=str(tmp_path / "b.npz"), run=tmp_path / "r")


def test_without_a_hidden_layer_there_is_nothing_to_compare(samples: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"rehearsal\.remembering=null"):
        tenfold.train("adapt", data=str(samples), changes=['network={"kind":"dense","units":[]}'], run=tmp_path / "r")
    assert not (tmp_path / "r").exists()
