"""The picture of a benchmark: what is on it, and that it is the same each time."""

import re
from dataclasses import replace

import pytest

from vidreid.engines.bench import Benchmark, Layout, Report, Timing
from vidreid.engines.matmul import MatmulRate
from vidreid.errors import UsageError
from vidreid.views.engine_bench import write_benchmark

LAYOUTS = [Layout(batch, streams, 1) for batch in (1, 8) for streams in (1, 2)]
TIMINGS = tuple(
    Timing(name, layout, 0.5, 90.0, 30, 2.0, 3.0, 5.0, rate * layout.batch * layout.streams)
    for layout in LAYOUTS
    for name, rate in (("tiny-fp16", 40.0), ("torch eager", 10.0))
)
RATES = {layout: MatmulRate(layout.cores * 1e9, "fp32") for layout in LAYOUTS}
REPORT = Report("tiny-fp16", ["tiny-fp16", "torch eager"], (12, 8), 1_000_000, Benchmark(TIMINGS, (), RATES))


def words(path):
    """The text of an SVG, which Matplotlib keeps as comments beside the glyphs."""
    return re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_equal_reports_give_equal_bytes(tmp_path, kind):
    first, second = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    write_benchmark(first, REPORT)
    write_benchmark(second, REPORT)
    assert first.read_bytes() == second.read_bytes()


def test_every_contender_and_every_way_to_share_threads_has_a_line_with_its_name(tmp_path):
    write_benchmark(tmp_path / "a.svg", REPORT)
    labels = [word.partition(":")[0] for word in words(tmp_path / "a.svg") if " of 1 thread" in word]
    assert sorted(labels) == [
        "tiny-fp16, 1 stream of 1 thread",
        "tiny-fp16, 2 streams of 1 thread",
        "torch eager, 1 stream of 1 thread",
        "torch eager, 2 streams of 1 thread",
    ]


def test_every_line_says_its_best_share_of_the_machine_and_of_which_products(tmp_path):
    write_benchmark(tmp_path / "a.svg", REPORT)
    found = words(tmp_path / "a.svg")
    # 40 x 8 inputs a second of a million operations, of a billion; and a fourth of it
    assert {"tiny-fp16, 1 stream of 1 thread: 32%", "torch eager, 2 streams of 1 thread: 8%"} <= set(found)
    assert "at best, in % of the rate of matrix products in fp32" in found


def test_without_counted_operations_there_is_no_share(tmp_path):
    write_benchmark(tmp_path / "a.svg", replace(REPORT, flops=None))
    assert not [word for word in words(tmp_path / "a.svg") if "%" in word]


def test_latencies_of_one_order_of_magnitude_have_ticks_between_them(tmp_path):
    write_benchmark(tmp_path / "a.svg", REPORT)
    assert {"2", "5"} <= set(words(tmp_path / "a.svg"))


def test_a_file_of_another_kind_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="not a kind of picture"):
        write_benchmark(tmp_path / "a.jpeg", REPORT)


def test_the_report_compares_with_its_second_contender_on_as_many_cores():
    assert {REPORT.times(one) for one in TIMINGS if one.contender == "tiny-fp16"} == {4}
    assert {REPORT.times(one) for one in TIMINGS if one.contender == "torch eager"} == {1}
    alone = replace(REPORT, contenders=["tiny-fp16"])
    assert alone.times(TIMINGS[0]) is None
