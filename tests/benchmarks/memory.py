"""Peak memory of a long run beside a short one: python tests/benchmarks/memory.py [HOURS]

The synthetic world, ten minutes at one frame a second, is looped to the hours asked for (10), without a picture being
coded again; oracle and colours, so that no network hides what grows. Prints a table and writes results/memory.json.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import av

from vidreid.world import write_world

MINUTES = 10


def loop(world, out, times):
    """The world's footage and truth, ``times`` times one after the other."""
    (out / "gt").mkdir(parents=True)
    for film in sorted(world.glob("*.mp4")):
        frames = loop_film(film, out / film.name, times)
        rows = [line.split(",", 1) for line in (world / "gt" / f"{film.stem}.txt").read_text().splitlines()]
        with (out / "gt" / f"{film.stem}.txt").open("w") as file:
            for k in range(times):
                file.writelines(f"{int(frame) + k * frames},{rest}\n" for frame, rest in rows)
    (out / "cameras.yaml").write_text((world / "cameras.yaml").read_text())
    return out / "cameras.yaml"


def loop_film(source, target, times):
    """Copy a film's packets ``times`` times; the number of frames of one round."""
    with av.open(str(target), "w") as output, av.open(str(source)) as first:
        stream = output.add_stream_from_template(first.streams.video[0])
        frames = 0
        for k in range(times):
            with av.open(str(source)) as container:
                count = 0
                for packet in container.demux(container.streams.video[0]):
                    if packet.size:
                        length = round(MINUTES * 60 / packet.time_base)
                        packet.pts += k * length
                        packet.dts += k * length
                        packet.stream = stream
                        output.mux(packet)
                        count += 1
                frames = count
    return frames


def peak(cameras, folder):
    """Peak resident memory in MiB and seconds of a whole run, in a process of its own."""
    start = time.perf_counter()
    program = str(Path(sys.executable).with_name("vidreid"))
    words = ["run", cameras, "--output", folder, "--detector", "oracle", "--embedder", "colours", "--json"]
    child = os.posix_spawn(program, [program, *map(str, words)], dict(os.environ))
    _, status, used = os.wait4(child, 0)
    assert status == 0, f"exit status {status}"
    return used.ru_maxrss / 1024, time.perf_counter() - start


def main(hours):
    times = round(hours * 60 / MINUTES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = write_world(folder / "world", seconds=MINUTES * 60, fps=(1.0,) * 3).parent
        found = {}
        for label, rounds in (("short", 1), ("long", times)):
            cameras = loop(world, folder / label, rounds)
            megabytes, seconds = peak(cameras, folder / f"run-{label}")
            hours_each = round(rounds * MINUTES / 60, 2)
            found[label] = {"hours": hours_each, "peak_mib": round(megabytes, 1), "seconds": round(seconds, 1)}
            print(label, found[label], flush=True)
    found["ratio"] = round(found["long"]["peak_mib"] / found["short"]["peak_mib"], 3)
    out = Path(__file__).parent / "results" / "memory.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    print(f"{found['long']['hours']} h take {found['ratio']} times the memory of {found['short']['hours']} h")


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else 10.0)
