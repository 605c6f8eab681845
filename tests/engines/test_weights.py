"""Where a network comes from: a path, the user's cache, the package, then a download that was announced."""

import shutil
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml
from tiny_networks import conv

from vidreid.digests import file_sha256
from vidreid.engines import weights
from vidreid.engines.registry import TEMPLATE, read_registry
from vidreid.engines.weights import find_model, passed_over, stronger
from vidreid.errors import InputError, MissingError
from vidreid.types import InputSpec

INPUT = InputSpec((256, 128))


class Maker(BaseHTTPRequestHandler):
    """Serves one file; ``fault`` is what goes wrong."""

    contents = b""
    fault = ""

    def do_GET(self):
        self.send_response(404 if self.fault == "missing" else 200)
        self.send_header("Content-Length", str(len(self.contents)))
        self.end_headers()
        self.wfile.write(self.contents[: len(self.contents) // 2] if self.fault == "cut short" else self.contents)

    def log_message(self, *words):
        pass


@pytest.fixture
def network(tmp_path):
    return conv(tmp_path / "net.onnx", INPUT).path


@pytest.fixture
def maker(network):
    """A server of the network; set ``fault`` and ``contents`` of what it gives."""
    handler = type("Handler", (Maker,), {"contents": network.read_bytes()})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        handler.url = f"http://127.0.0.1:{server.server_port}/"
        yield handler
        server.shutdown()
        thread.join()


@pytest.fixture
def registered(network, own_home):
    """Puts the network under the name ``ours`` into the user's registry, with where it can be had."""

    def register(url="", order=("ours",)):
        entry = {"kind": "embedder", "family": "reid", "dim": 6, "folder": "ours", "url": url}
        entry |= {"input": {"size": list(INPUT.size)}, "files": {"net.onnx": file_sha256(network)}}
        entry["get"] = "ask us"
        registry = {"order": {"embedder": list(order)}, "models": {"ours": entry}}
        (own_home / "models.yaml").write_text(yaml.safe_dump(registry))

    register()
    return register


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder in place of that of the networks which the package ships."""
    monkeypatch.setattr(weights, "shipped_weights", lambda: tmp_path / "shipped")
    return tmp_path / "shipped"


def put(network, folder):
    folder.mkdir(parents=True)
    return network.rename(folder / "net.onnx")


def find(wanted, *, offline=False, announce=lambda line: None):
    return find_model(str(wanted), "embedder", offline=offline, announce=announce)


def no_word(line):
    raise AssertionError(f"nothing was to be fetched: {line}")


def test_a_path_goes_before_everything(network, registered, own_home, maker):
    registered(maker.url)
    assert find(network, announce=no_word).path == network
    assert not (own_home / "models").exists()


def test_the_cache_goes_before_what_is_shipped(network, registered, own_home, shipped):
    copy = shipped / "ours" / "net.onnx"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(network.read_bytes())
    assert find("ours", announce=no_word).path == copy
    cached = put(network, own_home / "models" / "ours")
    assert find("ours", announce=no_word).path == cached
    assert find("auto", announce=no_word).path == cached


def test_what_is_shipped_goes_before_a_download(network, registered, shipped, maker):
    registered(maker.url)
    here = put(network, shipped / "ours")
    assert find("ours", announce=no_word).path == here


def test_a_download_is_announced_kept_and_not_repeated(registered, own_home, maker):
    registered(maker.url)
    kept = own_home / "models" / "ours" / "net.onnx"
    announced = []

    def announce(line):
        assert not kept.exists()
        announced.append(line)

    model = find("ours", announce=announce)
    assert model.path == kept
    assert kept.read_bytes() == maker.contents
    assert model.trusted
    assert len(announced) == 1
    assert maker.url in announced[0]
    assert find("ours", announce=no_word) == model


def test_offline_nothing_is_fetched(registered, maker, own_home):
    registered(maker.url)
    with pytest.raises(MissingError, match="ours is not on this machine") as error:
        find("ours", offline=True, announce=no_word)
    assert str(own_home / "models" / "ours") in error.value.hint
    assert not (own_home / "models").exists()


def test_what_nobody_named_is_never_fetched(registered, maker, own_home):
    registered(maker.url)
    with pytest.raises(MissingError, match="no embedder on this machine"):
        find("auto", announce=no_word)
    assert not (own_home / "models").exists()


@pytest.mark.parametrize(
    ("fault", "contents", "error"),
    [
        ("", b"another file", InputError),
        ("cut short", None, MissingError),
        ("missing", b"gone", MissingError),
    ],
)
def test_a_download_that_went_wrong_leaves_nothing(registered, maker, own_home, fault, contents, error):
    registered(maker.url)
    maker.fault, maker.contents = fault, contents or maker.contents
    with pytest.raises(error, match=maker.url):
        find("ours")
    assert not list((own_home / "models" / "ours").iterdir())


def test_a_server_that_is_not_there_is_missing(registered, maker):
    with HTTPServer(("127.0.0.1", 0), Maker) as gone:
        url = f"http://127.0.0.1:{gone.server_port}/"
    registered(url)
    with pytest.raises(MissingError, match=url):
        find("ours")


@pytest.fixture
def changed(registered, own_home):
    """A file in the place of the network ``ours`` that is another, with a YAML that states it."""
    folder = own_home / "models/ours"
    folder.mkdir(parents=True)
    (folder / "net.yaml").write_text(TEMPLATE)
    return conv(folder / "net.onnx", INPUT, seed=1).path


def test_a_changed_file_is_refused_by_its_name_and_taken_by_its_path(changed):
    with pytest.raises(InputError, match=r"net\.onnx: not the registered file \(SHA-256\)") as error:
        find("ours")
    assert error.value.hint.endswith(f"--embedder {changed}")
    assert find(changed).path == changed


def test_where_no_network_was_named_a_changed_file_is_passed_over_for_the_next(changed, registered):
    registered(order=["ours", "slim-afa"])
    assert find("auto").spec.name == "slim-afa"
    advice = f"ours: there, but not the registered file; give it by its path: --embedder {changed}"
    assert stronger("slim-afa", "embedder", read_registry()) == advice


def test_a_changed_file_in_the_cache_does_not_hide_the_one_that_ships(changed, registered, shipped):
    (shipped / "ours").mkdir(parents=True)
    copy = conv(shipped / "ours/net.onnx", INPUT).path
    assert find("auto").path == find("ours").path == copy
    assert passed_over("ours", read_registry()) == ""


def test_where_only_a_changed_file_is_at_hand_the_error_says_so(changed):
    with pytest.raises(MissingError, match="no embedder on this machine") as error:
        find("auto")
    assert f"ours: there, but not the registered file; give it by its path: --embedder {changed}" in error.value.hint


def test_half_of_an_ir_is_missing_not_changed(own_home):
    folder = own_home / "models" / read_registry().models["yolo26n-int8"].folder
    folder.mkdir(parents=True)
    (folder / "yolo26n.xml").write_text("<net/>")
    assert passed_over("yolo26n-int8", read_registry()) == ""
    with pytest.raises(MissingError, match="yolo26n-int8 is not on this machine"):
        find_model("yolo26n-int8", "detector", offline=True, announce=no_word)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("yolo26n.xml", b'pad_value value="114"', b'pad_value value="115"'), ("yolo26n.bin", b"\x00", b"\x01")],
)
def test_an_own_export_in_the_place_of_the_registered_one_breaks_nothing(shared, own_home, name, before, after):
    folder = own_home / "models/yolo26n_int8_openvino_model"
    shutil.copytree(shared / "weights/detector" / folder.name, folder)
    contents = (folder / name).read_bytes()
    assert before in contents
    (folder / name).write_bytes(contents.replace(before, after, 1))
    taken = find_model("auto", "detector", offline=True, announce=no_word)
    assert weights.origin(taken.path) == "ships with vidreid"
    given = find_model(str(folder), "detector", offline=True, announce=no_word).spec
    assert (given.family, given.input) == ("yolo", InputSpec((640, 640), scale=255.0))


def test_where_nothing_is_at_hand_the_error_says_what_to_put_where(registered, own_home):
    with pytest.raises(MissingError, match="no embedder on this machine") as error:
        find("auto")
    assert "net.onnx" in error.value.hint
    assert str(own_home / "models" / "ours") in error.value.hint
    assert "ask us" in error.value.hint


def test_an_unknown_name_lists_the_known_ones(registered):
    with pytest.raises(MissingError, match="'theirs'") as error:
        find("theirs")
    assert "ours" in error.value.hint


def test_only_registered_files_are_trusted(network, own_home):
    network.with_suffix(".yaml").write_text(TEMPLATE)
    assert not find(network).trusted
