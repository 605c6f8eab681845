"""The schema of every table in a run folder, with unit and meaning of each column; nowhere else.

Frame indices count within a camera. Boxes are pixels of the upright frame. ``pts`` are ticks of the file's
time base, which `FILES` states. Wall-clock time appears from `TRACKLETS` on only.
"""

from __future__ import annotations

import pyarrow as pa

FORMAT = 1
"""Version of the run folder's format; raised when an older program could not read it."""

LATER = frozenset({"interlaced"})
"""Columns that parts of older programs lack; null where they do."""


def _column(name: str, kind: pa.DataType, meaning: str) -> pa.Field:
    return pa.field(name, kind, nullable=True, metadata={"meaning": meaning})


FILES = pa.schema(
    [
        _column("file", pa.int32(), "place in the camera's order of files, from 0"),
        _column("sha256", pa.string(), "of the file's bytes"),
        _column("bytes", pa.int64(), "size of the file"),
        _column("codec", pa.string(), "as FFmpeg names it"),
        _column("width", pa.int32(), "of the upright picture in true proportions, pixels"),
        _column("height", pa.int32(), "of the upright picture in true proportions, pixels"),
        _column("rotation", pa.int32(), "degrees counter-clockwise that make the picture upright"),
        _column("pixel_aspect", pa.string(), "width over height of a stored pixel, a fraction"),
        _column("time_base", pa.string(), "seconds a tick, a fraction"),
        _column("pts", pa.list_(pa.int64()), "ticks at which each frame is shown, in order"),
        _column("key", pa.list_(pa.int64()), "positions of key frames"),
        _column("stretches", pa.list_(pa.int64()), "positions where time jumps back, and 0"),
        _column("first", pa.int64(), "frame index of the file's first frame"),
        _column("timing", pa.string(), "presentation, storage or counted: what pts are"),
        _column("reordering", pa.int32(), "places a picture may be shown before its place of storage"),
        _column("notes", pa.list_(pa.string()), "what should be known of this file"),
        _column("interlaced", pa.bool_(), "whether its pictures hold two moments, line by line"),
    ]
)

TRACKS = pa.schema(
    [
        _column("frame", pa.int32(), "frame index"),
        _column("pts", pa.int64(), "ticks"),
        _column("x1", pa.float32(), "left edge, pixels"),
        _column("y1", pa.float32(), "upper edge, pixels"),
        _column("x2", pa.float32(), "right edge, exclusive, pixels"),
        _column("y2", pa.float32(), "lower edge, exclusive, pixels"),
        _column("score", pa.float32(), "of the detector, 0..1"),
        _column("track", pa.int32(), "local number of the track in this segment"),
    ]
)

CROPS = pa.schema(
    [
        _column("track", pa.int32(), "local number of the track in this segment"),
        _column("run", pa.int16(), "run of crops, in order of time"),
        _column("place", pa.int16(), "place in the run, in order of time"),
        _column("frame", pa.int32(), "frame index"),
        _column("pts", pa.int64(), "ticks"),
        _column("quality", pa.float32(), "0..1: size, sharpness, border, overlap and score together"),
        _column("x1", pa.float32(), "the person's box within the crop, pixels"),
        _column("y1", pa.float32(), "the person's box within the crop, pixels"),
        _column("x2", pa.float32(), "the person's box within the crop, pixels"),
        _column("y2", pa.float32(), "the person's box within the crop, pixels"),
        _column("jpeg", pa.binary(), "the crop"),
    ]
)

VECTORS = pa.schema(
    [
        _column("track", pa.int32(), "local number of the track in this segment"),
        _column("run", pa.int16(), "run of crops"),
        _column("first", pa.int32(), "frame index of the run's first crop"),
        _column("last", pa.int32(), "frame index of the run's last crop"),
        _column("quality", pa.float32(), "mean quality of the run's crops, 0..1"),
        _column("vector", pa.list_(pa.float32()), "unit vector of the clip"),
    ]
)

PIECE = pa.struct([("segment", pa.int32()), ("track", pa.int32()), ("first", pa.int32()), ("last", pa.int32())])

TRACKLETS = pa.schema(
    [
        _column("tracklet", pa.string(), "camera/number"),
        _column("camera", pa.string(), "name"),
        _column("identity", pa.string(), "P and number; null: too short to say, or a thing that never moves"),
        _column("first", pa.int32(), "frame index of the first box"),
        _column("last", pa.int32(), "frame index of the last box"),
        _column("start", pa.timestamp("us", "UTC"), "time of the first box; null where the clock is unknown"),
        _column("end", pa.timestamp("us", "UTC"), "time of the last box; null where the clock is unknown"),
        _column("start_s", pa.float64(), "seconds since the camera's first frame"),
        _column("end_s", pa.float64(), "seconds since the camera's first frame"),
        _column("boxes", pa.int32(), "number of boxes"),
        _column("height", pa.float32(), "median height of the boxes, pixels"),
        _column("similarity", pa.float32(), "mean likeness to the rest of its identity, 0 at even odds; null: alone"),
        _column("nearest", pa.string(), "the nearest other identity"),
        _column("nearest_similarity", pa.float32(), "mean likeness to that identity"),
        _column("pieces", pa.list_(PIECE), "tracks of segments that it is made of, in order of time"),
    ]
)

IDENTITIES = pa.schema(
    [
        _column("identity", pa.string(), "P and number"),
        _column("tracklets", pa.int32(), "number of tracklets"),
        _column("cameras", pa.list_(pa.string()), "in which it was seen"),
        _column("start", pa.timestamp("us", "UTC"), "first seen; null where a clock is unknown"),
        _column("end", pa.timestamp("us", "UTC"), "last seen; null where a clock is unknown"),
        _column("doubt", pa.float32(), "0..1: the chance that the place of its least certain tracklet is wrong"),
    ]
)

EVIDENCE = pa.schema(
    [
        _column("first", pa.string(), "a tracklet"),
        _column("second", pa.string(), "a tracklet"),
        _column("similarity", pa.float32(), "likeness: how far above even odds the pair's score lies"),
        _column("probability", pa.float32(), "that the two are one person, by this likeness alone"),
        _column("kind", pa.string(), "same: held together; apart: kept apart though similar"),
        _column("reason", pa.string(), "appearance, together in one camera, travel time, or decision and its number"),
    ]
)

INDEX = pa.schema(
    [
        _column("tracklet", pa.string(), "camera/number; a row of vectors.npy each"),
        _column("camera", pa.string(), "name"),
        _column("height", pa.float32(), "median height of the boxes, pixels"),
        _column("first", pa.int32(), "frame index of the first box"),
        _column("last", pa.int32(), "frame index of the last box"),
        _column("levels", pa.list_(pa.float32()), "mean likeness to its nearest others, by camera of calibration.json"),
    ]
)
