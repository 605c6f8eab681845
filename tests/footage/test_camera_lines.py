"""A reading put into a cameras YAML: what was there stays, letter by letter, and the reading is there."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vidreid.footage.camera_lines import with_reading

ITEM = '{file: "a.mp4", at: "00:01:30", shows: 2026-04-12T08:13:05}'
GENERATED = """\
# made by vidreid cameras
version: 1
timezone: Europe/Berlin
cameras:
  gate:  # channel 1
    files:
      - {file: gate/0800.mp4, start: 2026-04-12T08:00:00}  # from its name
      - gate/0900.mp4
    # what follows was measured

  c3:
    files: [a.mp4]  # two
    start: 2026-04-12T08:00:00

# the end
"""
ONE = "{at: 1, shows: 2026-04-12T08:00:00}"
FORMS = {
    "blocks": GENERATED,
    "no end of line": GENERATED.partition("\n\n#")[0],
    "two readings": f"""\
cameras:
  c3:
    readings:
    - {ONE}
    -   at: 5
        shows: 2026-04-12T08:00:04  # by eye
    files: [a.mp4]
""",
    "readings of one line": f"cameras:\n  c3:\n    files: [a.mp4]\n    readings: [{ONE}, ]  # mine\n",
    "no readings": "cameras:\n  c3:\n    readings: []\n    files: [a.mp4]\n",
    "one line": "cameras: {gate: {files: [b.mp4]}, c3: {files: [a.mp4]} }",
    "a camera in one line": f"cameras:\n  c3: {{files: [a.mp4], readings: [{ONE}]}}\n  c4: {{files: [b.mp4]}}\n",
    "quoted": "cameras:\n  'c3':\n    'files': ['a.mp4', \"b: #.mp4\"]\n",
    "a long text": "cameras:\n  c3:\n    files: [a.mp4]\n    aspect: >\n      4:3\n\ntimezone: UTC\n",
}


def added(text):
    found = yaml.safe_load(text)
    found["cameras"]["c3"].setdefault("readings", []).append(yaml.safe_load(ITEM))
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_way_to_write_it_takes_a_reading(form, end):
    text = FORMS[form].replace("\n", end)
    changed = with_reading(text, "c3", ITEM)
    assert yaml.safe_load(changed) == added(text)
    assert ("\r\n" in changed) == (end == "\r\n" and "\n" in text)
    assert changed.count("\n") == changed.count(end)
    assert yaml.safe_load(with_reading(changed, "c3", ITEM)) == added(changed)


def test_a_reading_stands_below_its_camera_and_comments_stay():
    lines = with_reading(GENERATED, "c3", ITEM).splitlines()
    assert [line for line in lines if line in GENERATED.splitlines()] == GENERATED.splitlines()
    place = lines.index("    start: 2026-04-12T08:00:00")
    assert lines[place + 1 : place + 3] == ["    readings:", f"      - {ITEM}"]


values = st.recursive(
    st.sampled_from(["a.mp4", "x y", "# no", "1", "2026-04-12", ""]) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["files", "view", "include"]), values, min_size=1),
    st.lists(st.fixed_dictionaries({"at": st.integers(0, 9), "shows": st.just("2026-04-12")}), max_size=3),
    st.dictionaries(st.sampled_from(["gate", "zoo"]), values, max_size=2),
    st.sampled_from([True, False, None]),
    st.integers(2, 6),
)
def test_whatever_a_library_writes_takes_a_reading(entry, readings, others, flow, indent):
    camera = {**entry, **({"readings": readings} if readings else {})}
    text = yaml.safe_dump({"cameras": {**others, "c3": camera}}, default_flow_style=flow, indent=indent)
    assert yaml.safe_load(with_reading(text, "c3", ITEM)) == added(text)
