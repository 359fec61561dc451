"""PAGE-XML and ALTO: the text of lines, the image of the page, and cut-out lines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels.data_folder import open_data_folder
from bench.data.raw.labels.label_format import Row
from bench.data.raw.labels.xml_pages import Alto, PageXml

PAGE_2019 = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
BOX = "2,3 11,3 11,8 2,8"


def scan(width=40, height=30, seed=0):
    """Return the pixels (H, W, 3) of a page in which no pixel is white, and its PNG."""
    pixels = np.random.default_rng(seed).integers(0, 200, (height, width, 3), np.uint8)
    return pixels, cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


def text(content="two words", index=None):
    number = "" if index is None else f' index="{index}"'
    return f"<TextEquiv{number}><Unicode>{content}</Unicode></TextEquiv>"


def line(content=None, points=BOX, name="l1"):
    inside = text() if content is None else content
    return f'<TextLine id="{name}"><Coords points="{points}"/>{inside}</TextLine>'


def page_xml(*lines, image="p1.png", size=(40, 30), namespace=PAGE_2019):
    width, height = size
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<PcGts xmlns="{namespace}"><Page '
        f'imageFilename="{image}" imageWidth="{width}" imageHeight="{height}">'
        f'<TextRegion id="r1">{"".join(lines)}</TextRegion></Page></PcGts>'
    )


def alto(*lines, image="p1.png", size='WIDTH="40" HEIGHT="30"', unit="pixel"):
    return (
        '<?xml version="1.0"?><alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description>'
        f"<MeasurementUnit>{unit}</MeasurementUnit><sourceImageInformation><fileName>{image}"
        f"</fileName></sourceImageInformation></Description><Layout><Page {size}><PrintSpace>"
        f"<TextBlock>{''.join(lines)}</TextBlock></PrintSpace></Page></Layout></alto>"
    )


def alto_line(inside, shape=f'<Shape><Polygon POINTS="{BOX}"/></Shape>', box=""):
    return f'<TextLine ID="l1" {box}>{shape}{inside}</TextLine>'


def listed(format_, root, images=None):
    data = open_data_folder(root, images)
    return [row for labels in format_.find(data) for row in format_.rows(labels, data)]


def one(write, document, format_=None, **files):
    [found] = listed(
        format_ or PageXml(), write({"p1.xml": document, "p1.png": scan()[1], **files})
    )
    return found


def pixels(row):
    [content] = row.images.load()
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)


def test_a_line_is_the_box_around_its_polygon_and_white_outside_of_it(write):
    found = one(write, page_xml(line(points="2,3 11,3 2,8")))
    assert (found.id, found.text) == ("p1/l1", "two words")
    assert found.columns == {"page": "p1.xml"}
    assert found.images.exists()
    cut, page = pixels(found), scan()[0]
    assert cut.shape == (6, 10, 3)
    assert (cut[0] == page[3, 2:12]).all()
    assert (cut[:, 0] == page[3:9, 2]).all()
    assert (cut[5, 5:] == 255).all()
    assert (cut[2:4, 8:] == 255).all()


def test_a_gray_page_gives_gray_lines(write):
    gray = cv2.imencode(".png", scan()[0][..., 0])[1].tobytes()
    [content] = one(write, page_xml(line()), **{"p1.png": gray}).images.load()
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded.ndim == 2
    assert (decoded == scan()[0][3:9, 2:12, 0]).all()


def test_the_text_is_that_of_the_lowest_index(write):
    texts = text("third", 2) + text("first", 0) + text("second", 1)
    assert one(write, page_xml(line(texts))).text == "first"
    assert one(write, page_xml(line(text("plain") + text("numbered", 1)))).text == "numbered"
    assert one(write, page_xml(line(text("one") + text("other")))).text == "one"


def test_a_line_without_a_text_has_that_of_its_words(write):
    words = "".join(
        f'<Word id="w{n}">{text(word)}</Word>' for n, word in enumerate(("two", "words"))
    )
    assert one(write, page_xml(line(words))).text == "two words"
    assert one(write, page_xml(line(words + text("of the line")))).text == "of the line"


def test_a_no_break_space_at_an_end_is_kept_and_others_are_not(write):
    assert one(write, page_xml(line(text("\n  \u00a0a b \n")))).text == "\u00a0a b"


@pytest.mark.parametrize(
    ("inside", "points", "fault"),
    [
        ("", BOX, "a line without a text"),
        (text(""), BOX, "a line without a text"),
        (text("<![CDATA[one\ntwo]]>"), BOX, "a text of several lines"),
        (None, "", "a line without a polygon"),
        (None, "1,2 3,4", "a line without a polygon"),
        (None, "1,2 3,4 x,y", "a polygon that is not a list of points"),
        (None, "1,2 3,4 5", "a polygon that is not a list of points"),
        (None, "nan,1 1,2 2,3", "a polygon that is not a list of points"),
        (None, f"{'9' * 5000},1 1,2 2,3", "a polygon that is not a list of points"),
    ],
)
def test_a_line_that_is_not_a_sample_is_rejected(write, inside, points, fault):
    assert one(write, page_xml(line(inside, points))) == Rejected("p1/l1", fault)


def test_files_of_2010_have_an_element_per_point(write):
    corners = "".join(f'<Point x="{x}" y="{y}"/>' for x, y in ((2, 3), (11, 3), (11, 8), (2, 8)))
    old = f'<TextLine id="l1"><Coords>{corners}</Coords>{text()}</TextLine>'
    namespace = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2010-03-19"
    found = one(write, page_xml(old, namespace=namespace))
    assert (pixels(found) == scan()[0][3:9, 2:12]).all()


@pytest.mark.parametrize(
    ("xml", "image", "name"),
    [
        ("p1.xml", "p1.png", "p1.png"),
        ("page/p1.xml", "p1.png", "p1.png"),
        ("page/p1.xml", "../p1.png", "p1.png"),
        ("d/page/p1.xml", "p1.png", "d/images/p1.png"),
        ("OCR-D-GT/p1.xml", "OCR-D-IMG/p1.png", "OCR-D-IMG/p1.png"),
        ("p1.xml", "C:\\scans\\other.png", "other.png"),
        ("p1.xml", "/elsewhere/other.png", "other.png"),
        ("p1.xml", "lost.tif", "p1.JPG"),
        ("p1.xml", "", "p1.png"),
    ],
)
def test_the_page_is_beside_its_file_or_above_it(write, xml, image, name):
    [found] = listed(PageXml(), write({xml: page_xml(line(), image=image), name: scan()[1]}))
    assert found.id == f"{xml.removesuffix('.xml')}/l1"
    assert (pixels(found) == scan()[0][3:9, 2:12]).all()


def test_the_folder_of_images_may_be_named(write, tmp_path):
    root = write({"p1.xml": page_xml(line()), "p1.png": scan()[1]})
    other = tmp_path / "scans"
    other.mkdir()
    (other / "p1.png").write_bytes(scan(seed=1)[1])
    [found] = listed(PageXml(), root, other)
    assert (pixels(found) == scan(seed=1)[0][3:9, 2:12]).all()


@pytest.mark.parametrize("image", ["../secret.png", "a/../../secret.png", "/{root}/../secret.png"])
def test_a_page_is_never_read_out_of_the_folder(write, image):
    root = write({"p1.xml": ""})
    (root.parent / "secret.png").write_bytes(scan()[1])
    write({"p1.xml": page_xml(line(), image=image.format(root=root))})
    [found] = listed(PageXml(), root)
    assert not found.images.exists()
    with pytest.raises(SampleError, match="a page image that is missing"):
        found.images.load()


def test_a_link_out_of_the_folder_is_not_read(write):
    root = write({"p1.xml": page_xml(line())})
    (root.parent / "secret.png").write_bytes(scan()[1])
    (root / "p1.png").symlink_to(root.parent / "secret.png")
    [found] = listed(PageXml(), root)
    with pytest.raises(SampleError, match="a file outside the data set's folder"):
        found.images.load()


@pytest.mark.parametrize(
    ("points", "fault"),
    [
        ("50,3 60,3 60,8", "a polygon outside its page"),
        ("-9,3 -2,3 -2,8", "a polygon outside its page"),
        ("2,-9 9,-9 9,-2", "a polygon outside its page"),
        ("9999999,3 9999998,3 9999998,8", "a polygon without an area"),
        ("2,3 2,3 2,8", "a polygon without an area"),
        ("2,3 9,3 12,3", "a polygon without an area"),
    ],
)
def test_a_polygon_has_to_have_an_area_on_its_page(write, points, fault):
    found = one(write, page_xml(line(points=points)))
    with pytest.raises(SampleError, match=fault):
        found.images.load()


def test_parts_of_a_polygon_outside_the_page_are_cut_off(write):
    cut = pixels(one(write, page_xml(line(points="-5,-5 7,-5 7,4 -5,4"))))
    assert (cut == scan()[0][:5, :8]).all()
    cut = pixels(one(write, page_xml(line(points="30,20 4000000,20 4000000,99 30,99"))))
    assert (cut == scan()[0][20:, 30:]).all()


def test_an_image_of_another_size_than_in_its_file_is_refused(write):
    found = one(write, page_xml(line(), size=(80, 60)))
    with pytest.raises(SampleError, match="a page image of another size than in its XML file"):
        found.images.load()
    assert pixels(one(write, page_xml(line(), size=(0, 0)))).shape == (6, 10, 3)


def test_an_undecodable_page_is_an_error_of_its_lines(write):
    found = one(write, page_xml(line()), **{"p1.png": b"no image"})
    with pytest.raises(SampleError, match=r"an unusable page image \(an image that"):
        found.images.load()


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(10))


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (page_xml(line())[:-20], "an XML file that is not well-formed in line 2"),
        (
            page_xml(line(text("&e9;"))).replace("<PcGts", f"<!DOCTYPE PcGts [{BOMB}]><PcGts"),
            "an XML file that declares entities",
        ),
        (
            page_xml(line(text("&x;"))).replace(
                "<PcGts", '<!DOCTYPE PcGts [<!ENTITY x SYSTEM "file:///etc/passwd">]><PcGts'
            ),
            "an XML file that declares entities",
        ),
        (
            page_xml(line(text("&x;"))).replace("<PcGts", '<!DOCTYPE PcGts SYSTEM "x.dtd"><PcGts'),
            "an XML file with an entity that it does not declare",
        ),
        (page_xml("<TextRegion>" * 300 + "</TextRegion>" * 300), "an XML file with more than 200"),
        ("no XML", "an XML file that is not well-formed in line 1"),
        ("", "an empty file"),
        (f'<PcGts xmlns="{PAGE_2019}"/>', "an XML file without a Page"),
    ],
)
def test_a_document_that_is_broken_or_hostile_is_rejected(write, document, fault):
    root = write({"p1.xml": document, "p1.png": scan()[1], "p2.xml": page_xml(line())})
    found = PageXml().rows(root, open_data_folder(root))
    first, second = found
    assert isinstance(first, Rejected)
    assert first.id == "p1.xml"
    assert first.reason.startswith(fault)
    assert isinstance(second, Row)
    assert second.id == "p2/l1"


def test_only_folders_with_files_of_the_format_have_labels(write):
    root = write(
        {
            "mets.xml": "<mets/>",
            "a/page/1.xml": page_xml(line()),
            "a/page/2.xml": page_xml(line()),
            "b/1.xml": alto(alto_line("")),
            "c/1.xml": "no XML",
            "c/1.txt": page_xml(line()),
        }
    )
    assert PageXml().find(open_data_folder(root)) == [root.resolve() / "a" / "page"]
    assert Alto().find(open_data_folder(root)) == [root.resolve() / "b"]


def string(content):
    return f'<String CONTENT="{content}"/>'


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (string("two") + "<SP/>" + string("words"), "two words"),
        (string("two") + string("words"), "two words"),
        (string("in") + string("to") + "<SP/>" + string("it"), "into it"),
        (string("hyphen") + '<HYP CONTENT="-"/>', "hyphen-"),
        (string("&#160;a") + "<SP/>", "\u00a0a"),
    ],
)
def test_each_sp_of_alto_is_a_space(write, inside, expected):
    assert one(write, alto(alto_line(inside)), Alto()).text == expected


@pytest.mark.parametrize("points", ["2,3 11,3 11,8 2,8", "2 3 11 3 11 8 2 8", "2,3,11,3,11,8,2,8"])
def test_polygons_of_alto_have_commas_or_spaces(write, points):
    shape = f'<Shape><Polygon POINTS="{points}"/></Shape>'
    found = one(write, alto(alto_line(string("a"), shape)), Alto())
    assert (pixels(found) == scan()[0][3:9, 2:12]).all()


def test_a_line_of_alto_without_a_polygon_is_its_box(write):
    box = 'HPOS="2" VPOS="3.0" WIDTH="9" HEIGHT="5"'
    found = one(write, alto(alto_line(string("a"), "", box)), Alto())
    assert (pixels(found) == scan()[0][3:9, 2:12]).all()
    found = one(write, alto(alto_line(string("a"), "")), Alto())
    assert found == Rejected("p1/l1", "a line without a polygon")


def test_other_units_are_scaled_by_the_size_of_the_page(write):
    box = 'HPOS="20" VPOS="30" WIDTH="90" HEIGHT="50"'
    tenths = alto(alto_line(string("a"), "", box), size='WIDTH="400" HEIGHT="300"', unit="mm10")
    assert (pixels(one(write, tenths, Alto())) == scan()[0][3:9, 2:12]).all()
    unknown = alto(alto_line(string("a"), "", box), size="", unit="inch1200")
    assert one(write, unknown, Alto()) == Rejected(
        "p1.xml", "an ALTO file in another unit than pixels, without a size of its page"
    )
