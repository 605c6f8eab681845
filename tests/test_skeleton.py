"""What holds the project together: light start, layers, style, commands, plug-ins, the wheel, pages that do not lie."""

import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from vidreid import plugins
from vidreid.cli import COMMANDS, cli
from vidreid.views.selection import SIGHTINGS

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "cv2", "ultralytics", "boxmot", "pyarrow", "scipy", "numpy", "pydantic", "pandas", "openvino", "av"}


def output_of(*words: object, cwd: Path = ROOT, **environment: str) -> str:
    """What a command says; the test fails with it where the command fails."""
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def load(name: str):
    """A script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


# A light start


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"], ["export", "--help"]])
def test_help_loads_no_heavy_module(words):
    program = (
        f"import sys; sys.argv = ['vidreid', *{words}]; from vidreid.cli import main\n"
        "try: main()\nexcept SystemExit: print('loaded', *sys.modules)"
    )
    loaded = output_of(sys.executable, "-c", program).rpartition("loaded")[2].split()
    assert not HEAVY & set(loaded)


def test_import_vidreid_loads_no_heavy_module():
    loaded = output_of(sys.executable, "-c", "import sys, vidreid; print(*sys.modules)").split()
    assert not HEAVY & set(loaded)


# Layers, types and style


@pytest.mark.parametrize(
    "words", [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("lint-imports",)]
)
def test_linters_find_nothing(words):
    program, *rest = words
    output_of(Path(sys.executable).with_name(program), *rest)


# Commands


def commands() -> dict[str, click.Command]:
    """Every command by its path, groups included."""
    generate = load("generate")
    return {path: context.command for path, context in generate.pages_of_help()}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_leads_to_the_command_of_that_name(name):
    command = cli.get_command(click.Context(cli), name)
    line = COMMANDS[name][2]
    assert command.name == name
    assert line.endswith(".")
    assert len(line) <= 64


def test_every_command_and_every_option_has_a_help_text():
    for path, command in commands().items():
        assert command.help, path
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, f"{path} {parameter.name}"


def test_help_works_for_every_command():
    runner = CliRunner()
    for path in commands():
        result = runner.invoke(cli, [*path.split()[1:], "--help"], prog_name="vidreid")
        assert result.exit_code == 0, path
        assert result.output.startswith(f"Usage: {path}")


# Plug-ins: every file of the folder, named as on the command line

CONTRACTS = {
    "engines.runtimes": {"available": [], "load": ["model", "streams"]},
    "pipeline.executors": {"make": ["setup", "workers"]},
    "views.export": {"write": ["run", "folder", "selection"]},
    "networks": {"build": ["backbone", "settings"]},
    "networks.backbones": {"build": ["settings"]},
    "training.datasets": {"open_dataset": ["root", "tracklets"]},
    "training.detector.sources": {"open_source": ["root", "part"]},
    "tracking": {
        "make": ["name", "options", "rate", "dim"],
        "needs_vectors": ["name", "options"],
        "check": ["name", "options"],
    },
}


@pytest.mark.parametrize(("room", "name"), [(room, name) for room in CONTRACTS for name in plugins.names(room)])
def test_every_plug_in_holds_the_functions_of_its_contract(room, name):
    module = plugins.load(room, name)
    for function, parameters in CONTRACTS[room].items():
        found = list(inspect.signature(getattr(module, function)).parameters)
        assert found[: len(parameters)] == parameters
        assert f"def {function}(" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_detector_family_of_the_registry_is_a_file_that_makes_detectors():
    from vidreid.engines.registry import read_registry

    families = {entry.family for entry in read_registry().models.values() if entry.kind == "detector"}
    assert families
    for family in families:
        parameters = inspect.signature(plugins.load("detection", family).make).parameters
        assert list(parameters) == ["engines", "score", "suppress", "tile", "ahead"]


# The wheel


def test_the_wheel_carries_what_the_program_reads(tmp_path):
    output_of(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist")
    (wheel,) = (tmp_path / "dist").glob("vidreid-*.whl")
    target = tmp_path / "installed"
    output_of(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, wheel)
    program = (
        "from vidreid.resources import carried; from vidreid.pipeline.networks import tracker_names\n"
        "print(carried('configs') / 'models.yaml', carried('engines'), *tracker_names())"
    )
    models, engines, *trackers = output_of(sys.executable, "-c", program, cwd=tmp_path, PYTHONPATH=str(target)).split()
    assert Path(models).is_relative_to(target)
    assert Path(models).is_file()
    assert Path(engines).is_relative_to(target)
    assert Path(engines).is_dir()
    assert trackers == sorted(file.stem for file in (ROOT / "configs/trackers").glob("*.yaml"))
    weights = files_below(target / "vidreid/weights")
    assert weights == files_below(ROOT / "vidreid/weights")
    assert weights.keys() >= {"slim-afa/slim-afa.yaml", "slim-afa/card.md"}
    assert sum(map(len, weights.values())) <= 12_000_000


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Pages that do not lie

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", load("generate").PAGES)
def test_what_the_program_knows_of_a_page_is_current(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text.split() == load("generate").filled(text).split(), "make docs"


def test_every_place_to_fill_is_known_and_every_known_one_is_used():
    generate = load("generate")
    used = [place[2] for page in generate.PAGES for place in generate.PLACE.finditer((ROOT / page).read_text())]
    assert sorted(used) == sorted(generate.BLOCKS)


def test_the_columns_of_an_export_are_those_of_the_page():
    page = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
    exports = page[page.index("\n## Exports") : page.index("\n## Cameras")]
    assert re.findall(r"^\| `(\w+)` \| (?!`)", exports, re.MULTILINE)[-len(SIGHTINGS) :] == SIGHTINGS.names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_pages_show_exist(page):
    known = commands()
    for line in code(page.read_text(encoding="utf-8")):
        shown = re.match(r"(?:next: )?\s*(?:\S*/)?vidreid ([a-z]+)( .*)?$", line)
        if shown:
            assert f"vidreid {shown[1]}" in known, line
            options = set(re.findall(r"(?<=\s)--[a-z-]+", shown[2] or ""))
            assert options <= options_of(known, f"vidreid {shown[1]}") | {"--help", "--debug"}, line


def code(text: str) -> list[str]:
    """Lines of a page's code blocks, and its inline code."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", text)


def options_of(known: dict[str, click.Command], path: str) -> set[str]:
    """Options of a command and of those below it."""
    below = [command for name, command in known.items() if f"{name} ".startswith(f"{path} ")]
    return {name for command in below for parameter in command.params for name in parameter.opts}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_make_targets_of_a_page_exist(page):
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / link).exists(), link
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE)) <= set(targets)


def test_the_readme_names_the_licence_first_and_shows_a_picture_and_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "AGPL" in text.splitlines()[0]
    first_screen = text[: text.index("## What you get")]
    assert all(part in first_screen for part in ("docs/demo.png", "make demo", "make test", "vidreid run "))
    assert (ROOT / "docs/demo.png").stat().st_size < 700_000


def test_tables_are_made_of_whatever_was_measured(tmp_path):
    measured = load("measured").measured
    assert measured(tmp_path).startswith("Nothing was measured yet")
    (tmp_path / "speed.json").write_text('{"vtest": {"track_fps": 41.27, "of_bound": 0.9}}')
    assert "| share of that bound | 0.900 |" in measured(tmp_path)
    scores = {"mota": 0.9, "idf1": 0.8, "hota": 0.7}
    people = {"idf1": 0.91, "hota": 0.66, "cross_pair_precision": None, "violated": 0}
    promised = {"pair_f1": 0.9, "b3_f1": 0.95, "pairs": 500, "achieved": [7, 3, 4], "expected": [9.6, 4.2, 5.1]}
    found = {
        "scenes": {"pets": {"tracks": {"vtest": scores}, "own": people}},
        "sets": {"market": {"own": {"promises": {"0.02": promised}}}},
    }
    (tmp_path / "identity.json").write_text(json.dumps(found))
    assert "| vtest | 0.900 | 0.800 | 0.700 |" in measured(tmp_path)
    assert "| pets | own | 0.910 | 0.660 |  |  |  |" in measured(tmp_path)
    assert "| market | own | 0.02 | 7 (10) | 500 | 3 (4) | 4 (5) | 0.900 | 0.950 |" in measured(tmp_path)
    found = {"ratio": 1.05, "short": {"hours": 0.17, "peak_mib": 400.0, "seconds": 20.0}}
    (tmp_path / "memory.json").write_text(json.dumps(found))
    assert "| 0.17 h of each camera | 400.0 | 20.0 |" in measured(tmp_path)
    assert "Ratio: 1.050." in measured(tmp_path)


def test_detectors_stand_beside_each_other(tmp_path):
    def row(ap):
        found = {"pictures": 7, "boxes": 9, "ap50": ap, "recall": 0.85, "false_positives": 0.5}
        partial = {**found, "ap50": None, "false_positives": None}
        empty = {**partial, "boxes": 0, "recall": None, "false_positives": 0.25}
        sets = {"pets": found, "campus": partial, "without people": empty}
        return {"score": 0.05, "fps": 61.5, "tracks": {"mota": 0.9, "idf1": 0.8, "hota": 0.7}, "sets": sets}

    (tmp_path / "detector.json").write_text(json.dumps({"theirs": row(0.9), "ours": row(0.88)}))
    text = load("measured").measured(tmp_path)
    assert "| pets | 7 | 9 | 0.900 | 0.880 | 0.850 | 0.850 |" in text
    assert "| campus | 7 | 9 |  |  | 0.850 | 0.850 |" in text
    assert "| ours | 0.900 | 0.800 | 0.700 | 0.250 | 61.5 |" in text
    assert "| without people" not in text


def test_a_card_shows_what_was_measured_of_its_network(tmp_path):
    measured = load("measured")
    assert measured.card_accuracy(tmp_path, "ours").startswith("Not measured yet")
    assert measured.card_calibration(tmp_path, "ours").startswith("Not measured yet")
    scores = {"queries": 7, "rank1": 0.9, "rank5": 0.95, "mAP": 0.812}
    level = {"threshold": 0.5, "true_match": 0.8, "true_match_95": [0.75, 0.85]}
    level |= {"false_match": 0.00012, "false_match_95": [0, 0.0004]}
    known = {"set": "shop", "people": 3, "tracklets": 9, "levels": [level]}
    found = {"others": {"accuracy": {"shop": scores}}, "ours": {"accuracy": {"shop": scores}, "calibration": known}}
    (tmp_path / "embedders.json").write_text(json.dumps(found))
    rows = measured.card_accuracy(tmp_path, "ours").splitlines()[2:]
    assert rows == [f"| shop | {name} | 7 | 90.0 | 95.0 | 81.2 |" for name in ("ours", "others")]
    assert "shop: 9 tracklets of 3 people" in measured.card_calibration(tmp_path, "ours")
    assert "| 0.50 | 80 (75 to 85) | 0.012 (0 to 0.04) |" in measured.card_calibration(tmp_path, "ours")


def test_claims_stand_beside_the_first_system(tmp_path):
    claims = load("measured").claims
    assert claims(tmp_path).startswith("Not measured yet")
    base = {"recipe": "light/base", "rank1": [0.8, 0.82], "mAP": [0.6, 0.6], "hours": 0.25}
    tse = {"recipe": "light/tse", "rank1": [0.79, 0.81], "mAP": [0.62, 0.64], "hours": 0.5}
    found = {"data": "Market", "steps": 150, "size": [96, 48], "seeds": [0, 1], "systems": {"base": base, "tse": tse}}
    (tmp_path / "claims.json").write_text(json.dumps(found))
    text = claims(tmp_path)
    assert "Market; 150 steps at 96 x 48. Mean and standard deviation over 2 seeds, differences from base" in text
    assert "| base | `light/base` | 81.0 ± 1.4 |  | 60.0 ± 0.0 |  | 0.2 |" in text
    assert "| tse | `light/tse` | 80.0 ± 1.4 | -1.0 | 63.0 ± 1.4 | +3.0 | 0.5 |" in text


def test_a_row_of_a_paper_is_not_run_until_it_was(tmp_path):
    systems = load("systems").systems
    stated = "| T5 | TCLNet | 1, 2, 4b | `tclnet/tclnet` | mars | 83.0 / 88.8 |"
    assert f"{stated} *not run* |  |  |" in systems(tmp_path, "tclnet")
    ours = {"tclnet/tclnet": {"mars": {"rank1": [0.881, 0.879], "mAP": [0.82, 0.82], "hours": 12}}}
    (tmp_path / "reproduction.json").write_text(json.dumps(ours))
    assert f"{stated} 82.0 ± 0.0 / 88.0 ± 0.1 | 2 | 12.0 |" in systems(tmp_path, "tclnet")
    assert "| `afa/sweep-sigma` | mars | a curve | *not run* |" in systems(tmp_path, "afa")
    assert "mars → dukemtmc-videoreid | 41.5 / 59.1 / 67.0 / - / 34.6 | *not run* |" in systems(tmp_path, "afa")


@pytest.mark.parametrize(
    ("counted", "printed", "word"),
    [(16.2507, "16.251", "yes"), (27.9706, "27.9", "cut off"), (30.0678, "29.9", "no"), (16.2462, "", "")],
)
def test_a_figure_is_met_rounded_or_cut_off_or_not(counted, printed, word):
    assert load("systems").met(counted, printed) == word


# Nothing of one machine


def test_no_file_holds_a_path_or_a_host_of_one_machine():
    if not (ROOT / ".git").exists():
        pytest.skip("which files belong to the repository only git knows, and this is no clone")
    words = ["/" + "work/", "/" + "tmp/", "/" + "root/", "pypi." + "org", "python" + "hosted", "download.py" + "torch"]
    for name in output_of("git", "ls-files", "-co", "--exclude-standard").splitlines():
        file = ROOT / name
        found = [word for word in words if file.is_file() and word.encode() in file.read_bytes()]
        assert not found, f"{name}: {found}"
