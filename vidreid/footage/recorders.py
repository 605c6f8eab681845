"""Which camera a recorder's file is of, and when it starts and ends, by how recorders name files and folders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

LONGEST = timedelta(hours=12)  # of a file; what seems to end later than that is no end but another number


@dataclass(frozen=True, slots=True)
class FileName:
    """What the name and the folders of a file say.

    ``recorder``: whose way of naming this is, empty for nobody's in particular. ``channel`` of the ``device``, and
    the ``folder`` that both are in, dates left out; ``stream`` where it is not the main one. ``start`` and ``end`` are
    local times without a zone, or with one where the name states it; ``summer`` whether it says summer time.
    """

    recorder: str = ""
    folder: str = ""
    device: str = ""
    channel: str = ""
    stream: str = ""
    start: datetime | None = None
    end: datetime | None = None
    summer: bool | None = None


_SPAN = r"(?P<clock>20\d{12})_(?P<end>20\d{12})"
_STAMP = r"(?P<clock>20\d{12})(?:\d{3})?(?:_(?P<end>20\d{12}))?"
_DASHED_DAY = r"(?P<day>20\d\d-\d\d-\d\d)"
_DOTTED_SPAN = r"(?P<clock>\d\d\.\d\d\.\d\d)-(?P<end>\d\d\.\d\d\.\d\d)\[[^/]*"

# Of the path without its suffix. ``end`` may be a time of the same day; ``clock`` holds the day too where it can.
_PATTERNS = (
    # A camera's card, or its FTP: 2026-04-12/001/dav/08/08.00.00-08.30.00[M][0@0][0]. Amcrest and Lorex are the same.
    ("Dahua", rf"{_DASHED_DAY}/(?P<channel>\d{{3}})/dav/\d\d/{_DOTTED_SPAN}"),
    # A download: NVR_ch1_main_20260412080000_20260412083000
    ("Dahua", rf"(?P<device>[^/]+)_ch(?P<channel>\d+)_(?P<stream>main|extra|sub)\d*_{_SPAN}[^/]*"),
    # 2026-04-12/001/08.00.00-08.10.00[R][@17f2][0]
    ("Xiongmai", rf"{_DASHED_DAY}/(?P<channel>\d{{3}})/{_DOTTED_SPAN}"),
    # ch01_20260412080000; also Annke, Swann
    ("Hikvision", rf"(?:(?P<device>[^/]+)_)?ch(?P<channel>\d+)_{_STAMP}"),
    # ch01_00000000034000000 and, of a camera's card, hiv00012: no time
    ("Hikvision", r"ch(?P<channel>\d+)_\d{17}(?!\d)[^/]*"),
    ("Hikvision", r"(?:datadir\d+/)?hiv\d{5}"),
    # FTP: 192.168.1.64_01_20260412080000123_TIMING, Garage_00_20260412080000
    ("Hikvision or Reolink", rf"(?P<device>[^/]+)_(?P<channel>\d\d)_{_STAMP}(?:_[A-Z_]+)?"),
    # D1_S20260412080000_E20260412083000
    ("Uniview", r"(?P<channel>[^/]+?)_?S(?P<clock>20\d{12})_?E(?P<end>20\d{12})[^/]*"),
    # Its client: 2026-04-12/192.168.1.13_1_S08-00-00E08-30-00
    (
        "Uniview",
        rf"{_DASHED_DAY}/(?P<device>[^/]+)_(?P<channel>\d+)_S(?P<clock>\d\d-\d\d-\d\d)_?E(?P<end>\d\d-\d\d-\d\d)",
    ),
    # Mp4Record/2026-04-12/RecM02_DST20260412_080000_080500_6D28808_1A468F9: 02 is a format, not a channel
    (
        "Reolink",
        r"(?:Mp4Record[/_])?(?:20\d\d-\d\d-\d\d[/_])?Rec(?P<stream>[MS])\d\d_(?P<summer>DST)?"
        r"(?P<day>20\d{6})_(?P<clock>\d{6})_(?P<end>\d{6})(?:_[^/]*)?",
    ),
    # A download of channel 6: 0620260412080000
    ("Reolink", r"(?P<channel>\d\d)(?P<clock>20\d{12})"),
    # hi_quality/<camera>/2026/04/12/08/1775973600000_60000: milliseconds of UTC, and how many it lasts
    (
        "Nx Witness or Hanwha WAVE",
        r"(?P<stream>hi|low)_quality/(?P<channel>[^/]+)/20\d\d/\d\d/\d\d/\d\d/(?P<epoch>\d{13})(?:_(?P<lasts>\d+))?",
    ),
    # 20260412_080000_1A2B_ACCC8E123456/20260412_08/20260412_080000_77F0: the camera by its serial number
    (
        "Axis",
        r"20\d{6}_\d{6}_[0-9A-F]{4}_(?P<channel>[0-9A-F]{12})/(?:20\d{6}_\d\d/)?"
        r"(?P<day>20\d{6})_(?P<clock>\d{6})(?:_[^/]*)?",
    ),
    ("Axis", r"(?P<day>20\d{6})_(?P<clock>\d{6})_[0-9A-F]{4}_(?P<channel>[0-9A-F]{12})"),
    # recordings/2026-04-12/06/gate/00.10: hour, then minute and second, of UTC
    ("Frigate", rf"(?P<utc>recordings)/{_DASHED_DAY}/(?P<hour>\d\d)/(?P<channel>[^/]+)/(?P<clock>\d\d\.\d\d)"),
)
PATTERNS = [(whose, re.compile(rf"(?P<outer>(?:[^/]+/)*?){pattern}")) for whose, pattern in _PATTERNS]

_DAY = r"(?<!\d)(?P<day>20\d\d(?P<d>[-_. ]?)[01]\d(?P=d)[0-3]\d)"
# Nobody's in particular: a day and a time of it somewhere in the name, perhaps a second time; or a time of day in a
# folder of the day.
ANYBODY = [
    re.compile(
        rf"(?:.*/)?(?P<before>[^/]*?){_DAY}[ T_,.-]{{0,3}}"
        r"(?P<clock>[0-2]\d(?P<c>[-_.: h]?)[0-5]\d(?:(?P=c)|m)[0-5]\d)s?(?:\.?\d{3})?(?!\d)(?P<zone>Z|[+-]\d\d:\d\d)?"
        r"(?:(?:[ _-]+|to)+(?P<end>(?:20\d\d[-_. ]?\d\d[-_. ]?\d\d[ T_-]?)?[0-2]\d[-_.:]?[0-5]\d[-_.:]?[0-5]\d)(?!\d))?"
        r"(?P<after>[^/]*)"
    ),
    re.compile(
        rf"(?:.*/)?[^/]*?{_DAY}[^/]*/(?:[^/]+/)*?"
        r"(?P<before>[^/]*?)(?<!\d)(?P<clock>[0-2]\d(?P<c>[-_.h])[0-5]\d(?:(?P=c)|m)[0-5]\d)s?(?!\d)(?P<after>[^/]*)"
    ),
]
_CHANNEL = re.compile(r"(?<![a-z])(ch|channel|kanal|cam|camera|kamera)[ _#-]?0*(\d{1,3})(?![a-z\d])", re.IGNORECASE)
# What of folders' names is a day, its month alone, or an hour of it: it says nothing of a camera.
_DATES = re.compile(
    r"(?:(?<=/)|^)20\d\d/\d\d(?:/\d\d){0,2}(?=/|$)"
    r"|(?<!\d)20\d\d(?P<s>[-_.]?)[01]\d(?P=s)[0-3]\d(?:[ T_-]?\d\d(?:[-_.:h]?\d\d)?(?:[-_.:m]?\d\ds?)?)?(?!\d)"
    r"(?:/\d\d(?=/|$))?"
)


def read_name(path: PurePosixPath) -> FileName:
    """What a recorder says with the name of a file; ``path`` is that within the export, its folders included."""
    text = str(path.with_suffix(""))
    for recorder, pattern in PATTERNS:
        found = pattern.fullmatch(text)
        said = found.groupdict("") if found else {}
        start, end = _times(said)
        if found and (start is not None or not said.keys() & {"clock", "epoch"}):
            return FileName(
                recorder=recorder,
                folder=_undated(said["outer"]),
                device=_tidy(said.get("device", "")),
                channel=_channel(said.get("channel", "")),
                stream="" if said.get("stream", "") in {"", "main", "M", "hi"} else "sub",
                start=start,
                end=end,
                summer=bool(said["summer"]) if "summer" in said else None,
            )
    return _read_any(text)


def _read_any(text: str) -> FileName:
    """What a name says that follows no recorder's pattern."""
    above, _, name = text.rpartition("/")
    folder = _undated(above)
    for pattern in ANYBODY:
        found = pattern.fullmatch(text)
        start, end = _times(found.groupdict("")) if found else (None, None)
        if found and start is not None:
            device, channel = _labels(found["before"], found["after"])
            return FileName(folder=folder, device=device, channel=channel, start=start, end=end)
    numbered = _CHANNEL.search(name)
    if numbered or not folder:
        return FileName(folder=folder, channel=_numbered(numbered) if numbered else _tidy(name))
    # In a folder of their own, files whose names differ in numbers alone are one camera's, as in CAMERA=FOLDER.
    return FileName(folder=folder, device=_tidy(re.sub(r"[\W_]*\d+[\W_]*", " ", name)))


def _labels(before: str, after: str) -> tuple[str, str]:
    """Device and channel that the text before and after a time names."""
    for text, device in ((after, before), (before, "")):
        numbered = _CHANNEL.search(text)
        if numbered:
            return _tidy(device or _CHANNEL.sub("", before)), _numbered(numbered)
    return "", _tidy(before) or (_tidy(after) if not re.search(r"\d", after) else "")


def _channel(text: str) -> str:
    """A channel's name: ``001`` and ``Channel 1`` are ``ch1``."""
    numbered = _CHANNEL.fullmatch(text)
    if numbered:
        return _numbered(numbered)
    return f"ch{int(text)}" if text.isdecimal() else text


def _numbered(found: re.Match[str]) -> str:
    return f"{'cam' if found[1].lower() in {'cam', 'camera', 'kamera'} else 'ch'}{int(found[2])}"


def _tidy(text: str) -> str:
    return text.strip(" _-.,#@()[]")


def _undated(folder: str) -> str:
    """A folder's path without days and without folders that are nothing else."""
    return "/".join(filter(None, map(_tidy, _DATES.sub("", folder).split("/"))))


def _times(said: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """Start and end that a pattern's groups say, without a zone unless they state it; None for what is no time."""
    if said.get("epoch"):
        start = datetime.fromtimestamp(int(said["epoch"]) / 1000, UTC)
        lasts = int(said.get("lasts") or 0)
        return start, start + timedelta(milliseconds=lasts) if 0 < lasts < LONGEST / timedelta(milliseconds=1) else None
    begin = _moment(said.get("day", "") + said.get("hour", "") + said.get("clock", ""))
    if begin is None:
        return None, None
    if said.get("utc") or said.get("zone"):
        begin = datetime.fromisoformat(f"{begin.isoformat()}{'Z' if said.get('utc') else said['zone']}")
    return begin, _end(said.get("end", ""), begin)


def _end(text: str, start: datetime) -> datetime | None:
    """The end of a file that starts then: a moment, or a time of that day or, past midnight, of the next."""
    short = len(re.sub(r"\D", "", text)) == 6
    found = _moment(f"{start:%Y%m%d}{text}" if short else text)
    if found is None:
        return None
    found = found.replace(tzinfo=start.tzinfo)
    if short and found < start:
        found += timedelta(days=1)
    return found if timedelta(0) < found - start <= LONGEST else None


def _moment(text: str) -> datetime | None:
    digits = re.sub(r"\D", "", text)
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S") if len(digits) == 14 else None
    except ValueError:
        return None
