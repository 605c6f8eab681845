"""What OpenVINO does besides the contract of runtimes."""

import subprocess
import sys
from pathlib import Path

CLOSED_IN_ORDER = """
import gc, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tiny_networks import conv, spec
from vidreid.engines.runtimes.openvino import load
from vidreid.types import InputSpec

model = conv(Path(sys.argv[1]) / "tiny.onnx", InputSpec((12, 20)))
first, second = load(model, streams=1), load(model, streams=1)
first.close(); del first; gc.collect()
second.close(); del second; gc.collect()
signal.signal(signal.SIGINT, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGINT)
print("alive")
"""


def test_ctrl_c_is_heard_after_engines_were_closed(tmp_path):
    """With a Core of its own for each of them the process would end here, by a segmentation fault."""
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-c", CLOSED_IN_ORDER, str(tmp_path), str(tests)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["heard", "alive"]), done.stderr
