"""Whatever is in a file of labels, it is rows, rejections, or an error of one line."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from fuzzing import altered, fuzzed, refused_in_one_line
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from bench.core.printable import printable
from bench.data.raw.entries import Entry, Rejected
from bench.data.raw.labels.data_folder import DataFolder, open_data_folder
from bench.data.raw.labels.divisions import WholeSplit
from bench.data.raw.labels.formats import FORMATS
from bench.data.raw.labels.label_format import LabelFormat, Row
from bench.data.raw.labels.own_reader import OwnReader

PNG = cv2.imencode(".png", np.full((30, 40), 90, np.uint8))[1].tobytes()
TABLE = pa.table(
    {
        "image": pa.array(
            [{"bytes": PNG, "path": f"{n}.png"} for n in range(3)],
            pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
        ),
        "text": ["one", "zwölf", "three"],
        "writer": ["a", "b", "c"],
    }
)


def arrow() -> bytes:
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, TABLE.schema) as out:
        out.write_table(TABLE)
    return stream.getvalue()


def parquet_file() -> bytes:
    stream = io.BytesIO()
    parquet.write_table(TABLE, stream)
    return stream.getvalue()


STATE = json.dumps({"_data_files": [{"filename": "data.arrow"}]})
GOOD: dict[str, dict[str, str | bytes]] = {
    "tab": {"gt.txt": 'images/1.png\tone\n["2.png", "3.png"]\ttwo\n'},
    "space": {"gt.txt": "1.png one\n2.png two words\n"},
    "comma": {"gt.txt": "1.png,one\n2.png,two, words\n"},
    "icdar": {"gt.txt": '1.png, "one"\n2.png, "say \\"hi\\""\n'},
    "csv": {"labels.csv": 'file_name,text,writer\n1.png,"one, two",w\n2.png,two,v\n'},
    "easyocr": {"labels.csv": "filename,words\n1.png,one\n2.png,two\n"},
    "jsonl": {"metadata.jsonl": '{"file_name": "1.png", "text": "one", "more": [1]}\n'},
    "json": {"labels.json": '{"1.png": "one", "2.png": "two"}'},
    "mmocr": {
        "labels.json": '{"data_list": [{"img_path": "1.png", "instances": [{"text": "a"}]}]}'
    },
    "pairs": {"1.gt.txt": "one\n", "2.gt.txt": "two"},
    "huggingface": {"state.json": STATE, "data.arrow": arrow()},
    "parquet": {"train.parquet": parquet_file()},
    "page-xml": {
        "1.xml": '<?xml version="1.0" encoding="UTF-8"?>\n<PcGts xmlns="http://schema.primaresearch'
        '.org/PAGE/gts/pagecontent/2019-07-15"><Page imageFilename="1.png" imageWidth="40" '
        'imageHeight="30"><TextRegion id="r"><TextLine id="l1"><Coords points="2,3 11,3 11,8 2,8"/>'
        '<TextEquiv index="0"><Unicode>two words</Unicode></TextEquiv></TextLine></TextRegion>'
        "</Page></PcGts>"
    },
    "alto": {
        "1.xml": '<?xml version="1.0"?><alto xmlns="http://www.loc.gov/standards/alto/ns-v4#">'
        "<Description><MeasurementUnit>mm10</MeasurementUnit><sourceImageInformation><fileName>1.png"
        '</fileName></sourceImageInformation></Description><Layout><Page WIDTH="40" HEIGHT="30">'
        '<PrintSpace><TextBlock><TextLine ID="l1" HPOS="2" VPOS="3" WIDTH="9" HEIGHT="5">'
        '<String CONTENT="two"/><SP/><String CONTENT="words"/></TextLine></TextBlock></PrintSpace>'
        "</Page></Layout></alto>"
    },
    "hocr": {
        "1.hocr": "<!DOCTYPE html>\n<html><body><div class='ocr_page' title='image \"1.png\"; "
        "bbox 0 0 40 30; ppageno 0'><span class='ocr_line' id='l1' title='bbox 2 3 11 8; baseline 0"
        " -1'><span class='ocrx_word'>two</span></span></div></body></html>"
    },
    "kaldi": {
        "text": "a one two\nb three\n",
        "images.scp": "a 1.png\nb 2.png\n",
        "utt2spk": "a w\n",
    },
    "pylaia": {"tr.txt": "1 o n e\n2 t w o <space> w\n"},
    "bentham": {
        "Transcriptions/1.txt": "one",
        "Images/Lines/1.png": PNG,
        "Partitions/TrainLines.lst": "1\n",
    },
    "sign-corpus": {"train.corpus.csv": "id|folder|signer|annotation\nd1|d1/*.png|S1|A B\n"},
}
CASES = [(name, file) for name, files in GOOD.items() for file in files if file[-4:] != ".png"]


def test_every_format_is_tried() -> None:
    assert {*GOOD, "lmdb"} == {*FORMATS}  # that of LMDBs is in test_lmdbs


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    images = dict.fromkeys(("1.png", "2.png", "3.png", "images/1.png", "d1/1.png", "d1/2.png"), PNG)
    for name, content in (images | files).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def read(format_: LabelFormat, labels: Path, data: DataFolder) -> None:
    """Read labels by themselves, then as a data set of one's own."""
    for row in format_.rows(labels, data):
        if isinstance(row, Rejected):
            assert len(row.reason.splitlines()) == 1
            continue
        assert isinstance(row, Row)
        if row.images.exists():
            with refused_in_one_line():
                assert all(row.images.load())
    for entry in OwnReader(data, [labels], format_, WholeSplit("test")).entries("test"):
        assert isinstance(entry, Entry | Rejected)
        entry.id.encode()
        assert not isinstance(entry, Entry) or printable(entry.text).encode()


@pytest.mark.parametrize(("name", "file"), CASES, ids=[f"{name}-{file}" for name, file in CASES])
@fuzzed()
@given(drawn=st.data())
def test_altered_labels_are_rows_rejections_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, name: str, file: str, drawn: st.DataObject
) -> None:
    good = GOOD[name][file]
    content = drawn.draw(altered(good.encode() if isinstance(good, str) else good))
    root = write(tmp_path_factory.mktemp("odd"), GOOD[name] | {file: content})
    format_ = FORMATS[name]()
    data = open_data_folder(root, clips=format_.gives == {"frames"})
    folder = {"pairs", "huggingface", "kaldi", "bentham", "page-xml", "alto", "hocr"}
    for labels in {*format_.find(data), root if name in folder else root / file}:
        with refused_in_one_line():
            read(format_, labels, data)
