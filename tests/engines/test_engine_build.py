"""Building engines: what the folder holds, what is refused, and that nothing half-made is ever there."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from built_engines import Plain, broken, build, recipe, source, wanted
from handmade_engines import DIM, EMBEDDING, SIZE, sha256

from vidreid.engines.build import find_built
from vidreid.engines.card import GOLDEN, Target, WeightsCard, read_card, write_card
from vidreid.engines.folder import LOCK
from vidreid.engines.source import read_golden
from vidreid.errors import InputError, StorageError

BUILDER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from built_engines import Plain, build, source

def make(folder):
    print("building", flush=True)
    sys.stdin.readline()
    return source(folder)

print(build(Path(sys.argv[1]), make=make).name)
"""


def builder(where):
    """A process that builds the tiny engine, and waits for a line of input while it does."""
    command = [sys.executable, "-c", BUILDER, str(where), str(Path(__file__).parents[1])]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def left(where):
    return [path.name for path in where.iterdir() if path.name != LOCK]


def test_the_folder_holds_card_golden_inputs_and_the_runtimes_files(tmp_path):
    folder = build(tmp_path)
    card = read_card(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", GOLDEN, "model.onnx"]
    assert card.files == {name: sha256(folder / name) for name in ("model.onnx", GOLDEN)}
    assert next(iter(card.files)) == "model.onnx"
    (golden,) = read_golden(folder / GOLDEN)
    assert golden.images.shape == (5, *SIZE, 3)
    assert golden.outputs[EMBEDDING].shape == (5, DIM)


def test_the_card_says_what_was_asked_for_and_what_was_measured(tmp_path):
    card = read_card(build(tmp_path))
    assert (card.recipe, card.recipe_sha256, card.batch) == ("tiny", recipe().digest, (1, 2, 4))
    assert (card.runtime, card.runtime_version, card.precision) == ("plain", "1.0", "fp32")
    assert (card.spec.name, card.weights.sha256, card.sizes) == ("tiny", "weights of 0", [SIZE])
    assert card.made_with["torch"] == "2.13.0"
    assert card.flops == [2 * DIM * 27 * SIZE[0] * SIZE[1]]
    assert card.measured.inputs == 5
    assert card.measured.error == (0, 0)
    assert card.measured.cosine[0][0] == pytest.approx(1)


def test_names_are_readable_and_say_for_what():
    assert wanted().name().startswith("tiny-fp32-plain-")
    assert wanted(target=Target(capabilities=["sm86", "sm89"])).name().startswith("tiny-fp32-sm86-sm89-")
    assert wanted(target=Target(capabilities=["sm86"], portable=True)).name().startswith("tiny-fp32-plain-portable-")
    assert wanted(recipe_name="my own/recipe").name().startswith("my-own-recipe-fp32-")


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": recipe(batch=(1, 1, 1))},
        {"weights": "others"},
        {"runtime": "other"},
        {"version": "1.1"},
        {"target": Target(capabilities=["sm86"])},
        {"target": Target(portable=True)},
        {"calibrated_on": "my pictures"},
    ],
)
def test_whatever_makes_another_engine_makes_another_digest(change):
    assert wanted(**change).sha256 != wanted().sha256
    assert wanted(recipe_name="same", command="other", target=Target(gpu="same kind")).sha256 == wanted().sha256


def test_the_same_engine_is_built_once_unless_it_is_asked_for_anew(tmp_path):
    runtime = Plain()
    assert find_built(wanted(), tmp_path) is None
    first = build(tmp_path, runtime)
    assert find_built(wanted(), tmp_path) == first == build(tmp_path, runtime)
    assert len(runtime.orders) == 1
    assert build(tmp_path, runtime, anew=True) == first
    assert len(runtime.orders) == 2
    assert build(tmp_path, runtime, version="1.0", weights="others") != first


@pytest.mark.parametrize("name", ["model.onnx", GOLDEN, "card.json"])
def test_a_damaged_engine_is_built_again(tmp_path, name):
    folder = build(tmp_path)
    (folder / name).write_bytes((folder / name).read_bytes()[:-5])
    assert find_built(wanted(), tmp_path) is None
    assert build(tmp_path) == folder
    assert find_built(wanted(), tmp_path) == folder


def test_engines_whose_first_digits_are_the_same_have_longer_names(tmp_path):
    one = build(tmp_path)
    digest = wanted().sha256
    card = read_card(one)
    write_card(one, card.model_copy(update={"wanted_sha256": digest[:4] + "0" * 60}))
    other = build(tmp_path)
    assert other.name == f"{one.name[:-4]}{digest[:8]}"
    assert find_built(wanted(), tmp_path) == other


def test_two_processes_that_ask_at_once_build_once(tmp_path):
    with builder(tmp_path) as first, builder(tmp_path) as second:
        for process in (first, second):
            process.stdin.write("\n")
            process.stdin.flush()
        said = [process.stdout.read().split() for process in (first, second)]
    assert sorted(map(len, said)) == [1, 2]
    assert {words[-1] for words in said} == {wanted().name()}


def test_an_engine_that_is_too_far_from_torch_is_not_kept(tmp_path):
    with pytest.raises(InputError, match=r"tiny-fp32-plain-\w{4}: too far from torch: least cosine") as error:
        build(tmp_path, Plain(noise=1.0))
    assert "islands" in error.value.hint
    assert left(tmp_path) == []


def test_the_recipe_says_what_too_far_is(tmp_path):
    loose = recipe(bounds={"fp32": {"cosine": -1}})
    card = read_card(build(tmp_path, Plain(noise=1.0), recipe=loose))
    assert card.measured.cosine[0][0] < 0.999
    assert card.bound.cosine == -1


def test_random_weights_need_not_keep_the_bound_for_they_are_never_used(tmp_path):
    def random(folder):
        return replace(source(folder), weights=WeightsCard(kind="random", sha256="0"))

    card = read_card(build(tmp_path, Plain(noise=1.0), make=random))
    assert card.measured.cosine[0][0] < card.bound.cosine


def test_an_engine_that_failed_leaves_the_one_that_was_there(tmp_path):
    folder = build(tmp_path)
    with pytest.raises(InputError):
        build(tmp_path, Plain(noise=1.0), anew=True)
    assert find_built(wanted(), tmp_path) == folder


def test_what_this_machine_cannot_run_is_built_and_not_compared(tmp_path):
    assert read_card(build(tmp_path, Plain(reason="no GPU"))).measured is None


def test_weights_that_are_no_numbers_are_named(tmp_path):
    with pytest.raises(InputError, match=r"tiny: .*NaN.*weight") as error:
        build(tmp_path, make=broken)
    assert error.value.hint
    assert left(tmp_path) == []


def test_no_disk_space_is_one_line_and_leaves_nothing(tmp_path, full_disk):
    size = source(tmp_path).onnx.stat().st_size
    where = tmp_path / "engines"
    for room in (size // 2, size, 2 * size):  # the graph, what is reserved, the golden inputs
        with full_disk(room), pytest.raises(StorageError, match="the engine cannot be written") as error:
            build(where)
        assert str(where) in error.value.message
        assert left(where) == []


def test_ctrl_c_leaves_nothing(tmp_path):
    def interrupted(folder):
        source(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, make=interrupted)
    assert left(tmp_path) == []


def test_the_command_that_rebuilds_stands_on_the_card_where_people_can_paste_it(tmp_path):
    assert read_card(build(tmp_path)).command == "vidreid engine build tiny --runtime plain"
    odd = build(tmp_path / "odd", command="vidreid engine build 'it'\"'\"'s'")
    assert read_card(odd).again == "build the engine again"


def test_the_order_is_what_the_recipe_says(tmp_path):
    runtime = Plain()
    target = Target(capabilities=["sm86"])
    build(tmp_path, runtime, recipe=recipe(islands=["Softmax"]), target=target)
    (order,) = runtime.orders
    assert (order.precision, order.islands, order.batch, order.target) == ("fp32", ["Softmax"], (1, 2, 4), target)


def test_golden_inputs_of_every_size_are_compared(tmp_path):
    def two_sizes(folder):
        made = source(folder)
        (golden,) = made.golden
        wrong = replace(golden, outputs={EMBEDDING: -golden.outputs[EMBEDDING]})
        return replace(made, golden=(golden, wrong))

    with pytest.raises(InputError, match="too far from torch"):
        build(tmp_path, make=two_sizes)
