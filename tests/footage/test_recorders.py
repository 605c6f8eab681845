"""Names as recorders write them: which camera, which start and end; and names that are nobody's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidreid.footage.recorders import LONGEST, FileName, read_name

EIGHT = datetime(2026, 4, 12, 8)
HALF_PAST = EIGHT + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "2026-04-12/001/dav/08/08.00.00-08.30.00[M][0@0][0].dav",
            FileName("Dahua", channel="ch1", start=EIGHT, end=HALF_PAST),
        ),
        (
            "gate/AMC0028V_795UUB/2026-04-12/001/dav/08/08.00.00-08.30.00[R][0@0][0].dav",
            FileName("Dahua", folder="gate/AMC0028V_795UUB", channel="ch1", start=EIGHT, end=HALF_PAST),
        ),
        (
            "NVR_ch14_main_20260412080000_20260412083000.dav",
            FileName("Dahua", device="NVR", channel="ch14", start=EIGHT, end=HALF_PAST),
        ),
        (
            "XVR 1_ch1_extra1_20260412080000_20260412083000.mp4",
            FileName("Dahua", device="XVR 1", channel="ch1", stream="sub", start=EIGHT, end=HALF_PAST),
        ),
        (
            "2026-04-12/003/08.00.00-08.30.00[R][@17f2][0].h264",
            FileName("Xiongmai", channel="ch3", start=EIGHT, end=HALF_PAST),
        ),
        ("ch01_20260412080000.mp4", FileName("Hikvision", channel="ch1", start=EIGHT)),
        (
            "usb/ch04_20260412080000_20260412083000.mp4",
            FileName("Hikvision", folder="usb", channel="ch4", start=EIGHT, end=HALF_PAST),
        ),
        ("ch01_00000000034000000.mp4", FileName("Hikvision", channel="ch1")),
        ("card/datadir0/hiv00012.mp4", FileName("Hikvision", folder="card")),
        (
            "192.168.1.64_01_20260412080000123_TIMING.mp4",
            FileName("Hikvision or Reolink", device="192.168.1.64", channel="ch1", start=EIGHT),
        ),
        (
            "Garage_00_20260412080000.mp4",
            FileName("Hikvision or Reolink", device="Garage", channel="ch0", start=EIGHT),
        ),
        (
            "D1_S20260412080000_E20260412083000.ts",
            FileName("Uniview", channel="D1", start=EIGHT, end=HALF_PAST),
        ),
        (
            "2026-04-12/192.168.1.13_2_S08-00-00E08-30-00.ts",
            FileName("Uniview", device="192.168.1.13", channel="ch2", start=EIGHT, end=HALF_PAST),
        ),
        (
            "Mp4Record/2026-04-12/RecM02_DST20260412_080000_083000_6D28808_1A468F9.mp4",
            FileName("Reolink", start=EIGHT, end=HALF_PAST, summer=True),
        ),
        (
            "Mp4Record_2026-04-12_RecS01_20260412_080000_083000_6D28808_1A468F9.mp4",
            FileName("Reolink", stream="sub", start=EIGHT, end=HALF_PAST, summer=False),
        ),
        ("0620260412080000.mp4", FileName("Reolink", channel="ch6", start=EIGHT)),
        (
            "hi_quality/00-1A-07-0A/2026/04/12/08/1775980800000_1800000.mkv",
            FileName(
                "Nx Witness or Hanwha WAVE",
                channel="00-1A-07-0A",
                start=EIGHT.replace(tzinfo=UTC),
                end=HALF_PAST.replace(tzinfo=UTC),
            ),
        ),
        (
            "20260412_075500_1A2B_ACCC8E123456/20260412_08/20260412_080000_77F0.mkv",
            FileName("Axis", channel="ACCC8E123456", start=EIGHT),
        ),
        ("20260412_080000_1A2B_ACCC8E123456.mkv", FileName("Axis", channel="ACCC8E123456", start=EIGHT)),
        (
            "recordings/2026-04-12/08/gate/00.10.mp4",
            FileName("Frigate", channel="gate", start=datetime(2026, 4, 12, 8, 0, 10, tzinfo=UTC)),
        ),
    ],
)
def test_recorders_own_names(path, said):
    assert read_name(PurePosixPath(path)) == said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("20260412-080000-083000_192.168.1.11-CH2.avi", FileName(channel="ch2", start=EIGHT, end=HALF_PAST)),
        ("CH03_20260412_080000.avi", FileName(channel="ch3", start=EIGHT)),
        ("NVR_20260412080000_ch02.mp4", FileName(device="NVR", channel="ch2", start=EIGHT)),
        ("Front Door 2026-04-12 08.00.00.mkv", FileName(channel="Front Door", start=EIGHT)),
        ("hall_2026_04_12_08h00m00s.mkv", FileName(channel="hall", start=EIGHT)),
        ("gate-20260412-080000-1775980800.mp4", FileName(channel="gate", start=EIGHT)),
        ("Cam1.20260412_080000.mp4", FileName(channel="cam1", start=EIGHT)),
        ("20260412_080000_0007.mp4", FileName(start=EIGHT)),
        ("cam1/2026-04-12/08-00-00.mp4", FileName(folder="cam1", start=EIGHT)),
        ("2026-04-12/cam1/08-00-00.mp4", FileName(folder="cam1", start=EIGHT)),
        (
            "Export 2026-04-12/NVR2/hall_20260412_080000.avi",
            FileName(folder="Export/NVR2", channel="hall", start=EIGHT),
        ),
        (
            "Door - 2026-04-12T08:00:00+02:00.avi",
            FileName(channel="Door", start=EIGHT.replace(tzinfo=timezone(timedelta(hours=2)))),
        ),
    ],
)
def test_names_of_nobody_in_particular(path, said):
    assert read_name(PurePosixPath(path)) == said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("c0.mp4", FileName(channel="c0")),
        ("campus/c0.mp4", FileName(folder="campus", device="c")),
        ("campus/north_1080p_gate 2.mp4", FileName(folder="campus", device="north p_gate")),
        ("campus/part2_cam3.mp4", FileName(folder="campus", channel="cam3")),
        ("2026-13-45_08-00-00.mp4", FileName(channel="2026-13-45_08-00-00")),
        ("ch01_20261345080000.mp4", FileName(channel="ch1")),
        ("Hall 12.04.2026 08.00.00.mp4", FileName(channel="Hall 12.04.2026 08.00.00")),  # day or month first?
    ],
)
def test_where_a_name_holds_no_time_none_is_made_up(path, said):
    assert read_name(PurePosixPath(path)) == said


def test_an_end_after_midnight_is_of_the_next_day():
    name = read_name(PurePosixPath("2026-12-31/001/dav/23/23.45.00-00.15.00[R][0@0][0].dav"))
    assert name.end == datetime(2027, 1, 1, 0, 15)


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(lambda time: time.replace(microsecond=0))
LENGTHS = st.integers(1, int(LONGEST.total_seconds())).map(lambda seconds: timedelta(seconds=seconds))
FORMS = {
    "{s:%Y-%m-%d}/{c:03}/dav/{s:%H}/{s:%H.%M.%S}-{e:%H.%M.%S}[M][0@0][0].dav": True,
    "NVR_ch{c}_main_{s:%Y%m%d%H%M%S}_{e:%Y%m%d%H%M%S}.dav": True,
    "{s:%Y-%m-%d}/{c:03}/{s:%H.%M.%S}-{e:%H.%M.%S}[R][@17f2][0].h264": True,
    "ch{c:02}_{s:%Y%m%d%H%M%S}.mp4": False,
    "CH{c:02}_S{s:%Y%m%d%H%M%S}_E{e:%Y%m%d%H%M%S}.ts": True,
    "{c:02}{s:%Y%m%d%H%M%S}.mp4": False,
    "CH{c:02}_{s:%Y-%m-%d %H-%M-%S}.avi": False,
    "{s:%Y%m%d}-{s:%H%M%S}-{e:%Y%m%d%H%M%S}_CH{c}.avi": True,
}


@pytest.mark.parametrize("form", FORMS)
@given(start=MOMENTS, length=LENGTHS, channel=st.integers(1, 64), folder=st.sampled_from(["", "usb/", "a b/NVR/"]))
def test_what_is_written_is_read(form, start, length, channel, folder):
    name = read_name(PurePosixPath(folder + form.format(s=start, e=start + length, c=channel)))
    assert (name.channel, name.start) == (f"ch{channel}", start)
    assert name.end == (start + length if FORMS[form] else None)
    assert name.folder == folder.strip("/")


@given(st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1), min_size=1, max_size=4))
def test_any_name_is_read(parts):
    path = PurePosixPath(*parts)
    if path.name:
        name = read_name(path)
        assert name.end is None or (name.start is not None and timedelta(0) < name.end - name.start <= LONGEST)
