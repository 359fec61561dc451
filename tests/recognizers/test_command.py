"""Programs as recognizers: real scripts with correct and wrong output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from bench.core import registry
from bench.core.errors import BenchError
from bench.core.recognition import Reading
from bench.data.reading.encoded_samples import EncodedSample
from bench.recognizers.outside import program

from .conftest import encoded

# A shell starts ten times faster than Python: `read` reads a line, `wc -c` counts bytes.
ANSWER = r'while read -r path; do printf "%s\t%s\n" "$path" "$(wc -c < "$path")"; done'


@pytest.fixture
def make(tmp_path):
    """Return a function that writes an executable script and returns its recognizer."""

    def make(body=ANSWER, *arguments, interpreter="/bin/sh", **parameters):
        script = tmp_path / "reader.sh"
        script.write_text(f"#!{interpreter}\n{body}\n")
        script.chmod(0o755)
        kind = registry.find("recognizer", "command")
        table = {"command": ["./reader.sh", *arguments], **parameters}
        return registry.make("recognizer", "command", kind.located(table, tmp_path))

    return make


def texts(readings) -> list[str]:
    return [reading.text for reading in readings]


def test_a_program_reads_the_stored_bytes_in_batches(make, reading, samples):
    sizes = [str(len(sample.images[0])) for sample in samples]
    with reading(make()) as reader:
        assert texts(reader.read(samples[:3])) == sizes[:3]
        assert texts(reader.read(samples[3:])) == sizes[3:]


def test_json_lines_may_have_a_confidence_and_come_in_any_order(make, reading, samples):
    body = """\
import json, sys
for path in reversed(sys.stdin.read().splitlines()):
    print(json.dumps({"path": path, "text": path[-6:], "confidence": 0.5, "other": 1}))
"""
    with reading(make(body, interpreter=sys.executable)) as reader:
        assert reader.read(samples[:2]) == [Reading("00.png", 0.5), Reading("01.png", 0.5)]


def test_tabs_spaces_and_control_characters_of_a_text_are_kept(make, reading, samples):
    body = r'while read -r p; do printf "%s\t \ta\033[2J\302\205b \r\n" "$p"; done'
    with reading(make(body)) as reader:
        assert texts(reader.read(samples[:1])) == [" \ta\x1b[2J\x85b "]


def test_a_placeholder_starts_the_program_per_image(make, reading, samples):
    body = r'printf "\n%s\n %s\f\n" "$1" "$(wc -c < "$2")"; ! read -r line'
    with reading(make(body, "--size", "{image}")) as reader:
        assert texts(reader.read(samples[:2])) == [
            f"--size {len(sample.images[0])}" for sample in samples[:2]
        ]


def test_file_names_do_not_contain_the_id(make, reading):
    sample = EncodedSample("1_SECRET_7", (encoded(9),))
    with reading(make('while read -r p; do printf "%s\t%s\n" "$p" "${p##*/}"; done')) as reader:
        assert texts(reader.read([sample])) == ["000000.png"]


@pytest.mark.parametrize(
    ("stored", "form", "suffix", "same"),
    [
        ("JPEG", "stored", "jpg", True),
        ("PNG", "png", "png", True),
        ("JPEG", "png", "png", False),
        ("PNG", "pgm", "pgm", False),
        ("PNG", "ppm", "ppm", False),
        ("JPEG", "bmp", "bmp", False),
        ("PPM", "stored", "png", False),
        ("WEBP", "stored", "webp", True),
    ],
)
def test_images_are_written_in_the_requested_format(tmp_path, stored, form, suffix, same):
    from bench.data.inputs.images import decode_image
    from bench.recognizers.outside.image_files import write_images

    sample = EncodedSample("a", (encoded(77, form=stored),))
    (file,) = write_images([sample], form, tmp_path)
    assert file.suffix == f".{suffix}"
    assert (file.read_bytes() == sample.images[0]) is same
    assert (decode_image(file.read_bytes(), 3) == sample.pixels(3)).all()
    assert file.read_bytes().startswith(b"P5") is (form == "pgm")


def test_threads_and_device_are_in_its_environment(make, reading, samples):
    body = 'read -r p; printf "%s\t%s %s %s\n" "$p" $OMP_THREAD_LIMIT $BENCH_THREADS $BENCH_DEVICE'
    with reading(make(body)) as reader:
        assert texts(reader.read(samples[:1])) == ["2 2 cpu"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("exit 3", "ended with exit code 3 and wrote nothing on standard error"),
        (
            'echo first >&2; printf "no \\033[2Jmodel\\n\\n" >&2; exit 1',
            r"reader.sh\) ended with exit code 1; its last line .*: 'no \\x1b\[2Jmodel'",
        ),
        ("kill -SEGV $$", "was killed by SIGSEGV"),
        ("exec cat", "line 1 of its output has no tab: '/.*000000.png'; print path, tab and text"),
        ("echo '{\"path\": 3}'", "line 1 of its output is not a JSON object with path and text"),
        ("echo '{\"path'", "line 1 of its output is not a JSON object"),
        ('printf "/x\\ty\\n"', "line 1 of its output is about '/x', which it was not given"),
        (
            f"head -n 1 | {{ {ANSWER}; }}",
            r"no answer for 1 of 2 images, such as 000001.png \(sample",
        ),
        (
            'read -r p; printf "%s\\ta\\n%s\\tb\\n" "$p" "$p"',
            "line 2 of its output is a second answer for 000000.png; print one line",
        ),
        ('read -r p; printf "%s\\ta\\377\\n" "$p"', "byte .* of line 1 of its output is not UTF-8"),
        (
            'read -r p; printf \'{"path": "%s", "text": "a", "confidence": 97}\\n\' "$p"',
            "confidence = '97.0' for sample 'test/0'",
        ),
    ],
)
def test_faults_of_a_program_are_an_error(make, reading, samples, body, sentence):
    with reading(make(body)) as reader, pytest.raises(BenchError, match=sentence):
        reader.read(samples[:2])


@pytest.mark.parametrize("body", ["exec yes", "yes >&2 & yes >&2"])
def test_a_program_that_prints_without_end_is_killed(make, reading, samples, monkeypatch, body):
    monkeypatch.setattr(program, "_MAX_OUTPUT", 2**20)
    with reading(make(body)) as reader, pytest.raises(BenchError, match="more than 1 MiB for one"):
        reader.read(samples)


@pytest.mark.parametrize("start", ["sleep 60 &", "setsid sh -c 'sleep 60' &"])
def test_a_hung_program_is_killed_with_all_that_it_started(make, reading, samples, tmp_path, start):
    body = f"{start} echo $! > {tmp_path}/child; sleep 60"
    with reading(make(body, timeout=0.3)) as reader:
        with pytest.raises(BenchError, match=r"did not end within 0.3 s and was killed; raise"):
            reader.read(samples)
        assert ended(int((tmp_path / "child").read_text()))


def test_processes_that_a_program_leaves_running_are_killed_at_the_end(
    make, reading, samples, tmp_path
):
    body = f"sleep 60 & echo $! > {tmp_path}/child; {ANSWER}"
    with reading(make(body)) as reader:
        reader.read(samples)
        assert not ended(int((tmp_path / "child").read_text()), patience=0)
    assert ended(int((tmp_path / "child").read_text()))


def test_a_program_ends_when_its_client_is_killed(make, tmp_path):
    make(f"echo $$ > {tmp_path}/pid; sleep 60")
    source = f"""\
from pathlib import Path
from bench.core.recognition import Workplace
from bench.data.reading.encoded_samples import EncodedSample
from bench.recognizers.command import CommandRecognizer
recognizer = CommandRecognizer(("{tmp_path}/reader.sh",))
with recognizer.open(Workplace("cpu", 1, Path("."))) as reader:
    reader.read([EncodedSample("a", ({encoded(1)!r},))])
"""
    client = subprocess.Popen([sys.executable, "-c", source])
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert client.poll() is None
        time.sleep(0.02)
    client.send_signal(signal.SIGKILL)
    client.wait()
    assert ended(int((tmp_path / "pid").read_text()))


def ended(process: int, patience: float = 10) -> bool:
    """Return whether a process has ended or is a zombie."""
    until = time.monotonic() + patience
    while True:
        try:
            os.kill(process, 0)
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["no-such-program"], "there is no program 'no-such-program'; install it, or write its"),
        (["./plain.txt"], "is not executable; make it executable with chmod"),
        ([], "'command' is empty; write the program and its arguments"),
    ],
)
def test_a_missing_program_is_an_error(tmp_path, reading, command, sentence):
    (tmp_path / "plain.txt").write_text("")
    kind = registry.find("recognizer", "command")
    table = kind.located({"command": command}, tmp_path)
    with pytest.raises(BenchError, match=sentence):
        registry.make("recognizer", "command", table).spec()
    with pytest.raises(BenchError, match=sentence):
        reading(registry.make("recognizer", "command", table)).__enter__()


def test_a_file_that_is_not_executable_is_an_error(make, reading, samples):
    recognizer = make(interpreter="/no/such/shell")
    with (
        reading(recognizer) as reader,
        pytest.raises(BenchError, match=r"cannot be started \(No such"),
    ):
        reader.read(samples)


def test_the_key_depends_on_the_content_of_files_and_has_no_path(make, tmp_path):
    (tmp_path / "w.bin").write_bytes(b"1")
    weights = {"file": "w.bin", "sha256": sha256(b"1").hexdigest()}
    recognizer = make(ANSWER, "--weights=w.bin", "w.bin", "8", "--a=b", files=["w.bin"])
    (tmp_path / "8").write_text("")
    spec = recognizer.spec()
    assert spec["parameters"] == {
        "command": [["--weights", weights], weights, "8", "--a=b"],
        "format": "stored",
        "files": [weights],
    }
    script = (tmp_path / "reader.sh").read_bytes()
    assert spec["program"] == {"file": "reader.sh", "sha256": sha256(script).hexdigest()}
    assert str(tmp_path) not in str(spec)
    assert recognizer.label == "command(reader.sh --weights=w.bin w.bin 8 --a=b)"
    assert make("exit 1", "--weights=w.bin", "w.bin", "8", "--a=b").spec() != spec


def test_the_time_limit_is_not_in_the_key(make):
    assert make(timeout=1).spec() == make(timeout=2).spec()


def test_a_version_replaces_the_program_in_the_key(make, tmp_path):
    version = ["./reader.sh", "--version"]
    body = 'if [ "$1" = --version ]; then echo tool 1.2; exit; fi;'
    spec = make(body, version_command=version).spec()
    assert spec["program"] == {"file": "reader.sh", "printed": "tool 1.2"}
    assert make(f"{body} # edited", version_command=version).spec() == spec
    newer = make(body.replace("1.2", "1.3"), version_command=version)
    assert newer.spec()["program"]["printed"] == "tool 1.3"
    with pytest.raises(BenchError, match="exit code 4 and printed ''; give a command that prints"):
        make("exit 4", version_command=version).spec()
    with pytest.raises(BenchError, match="prints more than 64 KiB; give a command that prints a"):
        make("yes", version_command=version).spec()


def test_a_version_that_does_not_end_is_waited_for_once(make, monkeypatch, tmp_path):
    monkeypatch.setattr(program, "_VERSION_TIMEOUT", 0.3)
    recognizer = make(f"echo begun >> {tmp_path}/runs; sleep 60", version_command=["./reader.sh"])
    for _ in range(2):
        with pytest.raises(BenchError, match="did not end within 0 s; give a command"):
            recognizer.spec()
    assert (tmp_path / "runs").read_text() == "begun\n"


def test_an_argument_can_be_a_file_of_a_package(make, reading, samples):
    body = 'read -r p; printf "%s\t%s %s\n" "$p" "${1##*/}" "${2##*/}"'
    name = "package:click/click/core.py"
    recognizer = make(body, f"--file={name}", name)
    with reading(recognizer) as reader:
        assert texts(reader.read(samples[:1])) == ["core.py core.py"]
    option, file = recognizer.spec()["parameters"]["command"]
    assert option == ["--file", file]
    assert file["file"] == "core.py"
