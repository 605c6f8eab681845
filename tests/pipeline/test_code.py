"""A stage whose output changes for the same input must say so by its code version, so that old parts become stale."""

import json
from pathlib import Path

import pytest
from digests import STORED, circumstances, digests

from vidreid.pipeline.plan import CODE


def test_no_stage_changed_what_it_makes_without_a_new_code_version(finished: Path) -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    here = circumstances(finished)
    others = [name for name, value in stored["circumstances"].items() if here.get(name) != value]
    if others:
        pytest.skip(f"the stored digests are of another {', '.join(others)}")
    store = f"python tests/pipeline/digests.py {finished}"
    for stage, digest in digests(finished).items():  # in order of the data: the first that differs is to blame
        if digest != stored["digests"][stage]:
            known = stored["code"][stage]
            assert CODE[stage] > known, (
                f"{stage} makes something else of the same input: raise CODE[{stage!r}] in vidreid/pipeline/plan.py "
                f"to {known + 1}, so that parts made before become stale; then store the new digests: {store}"
            )
            pytest.fail(f"CODE[{stage!r}] was raised to {CODE[stage]}: store the new digests: {store}")
    assert stored["code"] == CODE, f"store the digests of the new code versions: {store}"


def test_the_digests_are_those_of_every_stage() -> None:
    assert list(json.loads(STORED.read_text(encoding="utf-8"))["digests"]) == list(CODE)
