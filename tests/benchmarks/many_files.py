"""40 hours of 8 cameras as recorders write them, simulated by many small files: python tests/benchmarks/many_files.py

8 cameras of 60, 120 and 240 files, ten minutes apart, six frames each, and people in every eighth; oracle and colours,
so that no network hides what grows with the number of files. Each command is a process of its own, its seconds those
of the processor; what is linear takes four times as many for 240 files as for 60. Prints a table and writes
results/many_files.json.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np
import yaml

CAMERAS, FILES, FRAMES = 8, (60, 120, 240), 6
WIDTH, HEIGHT = 64, 96
EVERY = 600  # seconds from file to file
BEGIN = 1_775_980_800  # 2026-04-12T08:00:00Z


def write_site(folder, files):
    """A cameras YAML over ``files`` small films a camera, and the truth that the oracle reads."""
    (folder / "gt").mkdir(parents=True)
    cameras = {}
    for number in range(CAMERAS):
        name = f"c{number}"
        entries, truth = [], []
        for k in range(files):
            write_film(folder / f"{name}_{k:03d}.mp4", number * files + k)
            start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(BEGIN + k * EVERY + number))
            entries.append({"file": f"{name}_{k:03d}.mp4", "start": start})
            if k % 8 == number:
                truth += [f"{k * FRAMES + i + 1},{k},{10 + 2 * i},10,30,80,1,1,1" for i in range(FRAMES)]
        (folder / "gt" / f"{name}.txt").write_text("\n".join(truth))
        cameras[name] = {"files": entries}
    (folder / "cameras.yaml").write_text(yaml.safe_dump({"cameras": cameras}))
    return folder / "cameras.yaml"


def write_film(path, seed):
    """A film of one frame a second like no other."""
    colour = np.random.default_rng(seed).integers(0, 255, 3, np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(FRAMES):
            image = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
            image[10:90, 10 + 2 * number : 40 + 2 * number] = colour
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def measure(*words):
    """Seconds of processor time and peak MiB of a command in a process of its own."""
    program = str(Path(sys.executable).with_name("vidreid"))
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
    child = os.posix_spawn(program, [program, *map(str, words)], dict(os.environ), file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, words
    return {"seconds": round(used.ru_utime + used.ru_stime, 2), "mib": round(used.ru_maxrss / 1024)}


def commands(folder, files):
    """Every command, from the first ingest to the last look."""
    cameras, run = write_site(folder / "site", files), folder / "run"
    tools = ("--detector", "oracle", "--embedder", "colours")
    return {
        "ingest": measure("ingest", cameras, "--output", run, *tools),
        "ingest again": measure("ingest", run),
        "run": measure("run", run),
        "resume, nothing due": measure("resume", run),
        "match, nothing due": measure("match", run),
        "status": measure("status", run),
        "export": measure("export", run, "--format", "csv", "--output", folder / "export"),
        "record bytes": (run / "run.json").stat().st_size,
    }


def main():
    found = {}
    for files in FILES if len(sys.argv) < 2 else map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as folder:
            found[files] = commands(Path(folder), files)
    print(f"{'seconds (MiB)':<22}" + "".join(f"{f'{CAMERAS} x {files}':>16}" for files in found))
    for name in next(iter(found.values())):
        if name != "record bytes":
            row = [f"{one[name]['seconds']:.1f} ({one[name]['mib']})" for one in found.values()]
            print(f"{name:<22}" + "".join(f"{cell:>16}" for cell in row))
    if len(sys.argv) < 2:
        out = Path(__file__).parent / "results" / "many_files.json"
        out.write_text(json.dumps({"cameras": CAMERAS, "frames a file": FRAMES, "files": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
