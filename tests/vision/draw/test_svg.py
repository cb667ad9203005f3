"""SVG from a model, hostile drawings included: nothing is fetched or executed, and rendering is bounded."""

import asyncio
import io
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import example, given, settings, strategies as st
from PIL import Image as pillow
from vision.samples import Tools, file_of, opened

from musespark.vision.coordinates import InvalidToolArguments
from musespark.vision.draw.render import render_svg
from musespark.vision.draw.sanitize import SVG, sanitize_svg

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 100">'
GREEN = '<rect width="100" height="100" fill="#00ff00"/>'


async def drawn(svg, **arguments):
    """Return the output of the tool and the colours of its image."""
    output = await Tools().sketch(svg=svg, **arguments)
    return output, {
        colour for _, colour in opened(output.images[0]).getcolors(1 << 20)
    } if output.images else set()


async def test_a_drawing_is_shown_as_it_is_meant():
    output, colours = await drawn(
        f'{HEAD}{GREEN}<rect width="50" height="100" style="fill: rgb(0, 0, 255)"/></svg>',
        caption="two halves",
    )
    assert (
        not output.failed and output.text == "Picture 1: a sketch of two halves, 1024x1024 pixels."
    )
    assert colours == {(0, 255, 0), (0, 0, 255)}
    seen = opened(output.images[0])
    assert seen.getpixel((100, 500)) == (0, 0, 255) and seen.getpixel((900, 500)) == (0, 255, 0)


@pytest.mark.parametrize(
    ("svg", "size"),
    [
        ("<svg><rect width='1000' height='1000' fill='#0f0'/></svg>", (1024, 1024)),
        (
            "<svg width='200' height='100'><rect width='200' height='100' fill='#0f0'/></svg>",
            (1024, 512),
        ),
        (
            "<svg width='200px' height='100px' viewBox='0,0 10 5'><rect width='10' height='5' fill='#0f0'/></svg>",
            (1024, 512),
        ),
        (
            "<svg width='100%' height='100%' viewBox='-5 -5 10 10'><rect x='-5' y='-5' width='10' height='10' fill='#0f0'/></svg>",
            (1024, 1024),
        ),
        (
            "<?xml version='1.0'?><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd'>"
            "<svg><rect width='1000' height='1000' fill='#0f0'/></svg>",
            (1024, 1024),
        ),
    ],
)
async def test_the_usual_ways_to_begin_a_drawing(svg, size):
    output, colours = await drawn(svg)
    assert not output.failed and opened(output.images[0]).size == size and colours == {(0, 255, 0)}


async def test_letters_are_drawn_on_a_machine_without_fonts():
    output, _ = await drawn(f'{HEAD}<text x="10" y="60" font-size="40">Hello</text></svg>')
    dark = sum(
        count for count, colour in opened(output.images[0]).getcolors(1 << 20) if sum(colour) < 300
    )
    assert 10_000 < dark < 200_000


async def test_a_drawing_goes_over_an_image_in_its_coordinates():
    tools = Tools(pillow.new("RGB", (300, 100), "white"))
    output = await tools.sketch(
        svg='<svg viewBox="0 0 7 7"><rect x="500" y="0" width="500" height="500" fill="#f00"/></svg>',
        over=1,
    )
    assert output.text == "Picture 2: a sketch over picture 1, 300x100 pixels."
    seen = tools.album.decode(tools.album.images[1])
    assert seen.crop((150, 0, 300, 50)).getcolors() == [(150 * 50, (255, 0, 0))]
    assert seen.crop((0, 0, 150, 100)).getcolors() == [(150 * 100, (255, 255, 255))]
    assert tools.album.images[1].original == 1


@pytest.fixture
async def canary(tmp_path):
    """A file and an address that no drawing may reach, and what came to the address."""
    (tmp_path / "secret.png").write_bytes(file_of(pillow.new("RGB", (20, 20), "#ff00ff")))
    (tmp_path / "secret.svg").write_text(
        f'{HEAD}<rect width="100" height="100" fill="#ff00ff"/></svg>'
    )
    reached = []

    async def reach(reader, writer):
        reached.append(await reader.readline())
        writer.close()

    server = await asyncio.start_server(reach, "127.0.0.1", 0)
    async with server:
        yield {
            "file": str(tmp_path / "secret.png"),
            "svg": str(tmp_path / "secret.svg"),
            "reached": reached,
            "http": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/secret.png",
        }


DATA = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="
REACHING = [
    '<image href="{file}" width="100" height="100"/>',
    '<image xlink:href="file://{file}" width="100" height="100"/>',
    '<image href="{http}" width="100" height="100"/>',
    '<image href="{svg}" width="100" height="100"/>',
    '<image href="' + DATA + '" width="100" height="100"/>',
    '<use href="{svg}#x" width="9" height="9"/>',
    '<use xlink:href="{http}#x"/>',
    '<rect width="9" height="9" fill="url({svg}#g)"/>',
    '<rect width="9" height="9" fill="url({http})"/>',
    '<rect width="9" height="9" style="fill: url( \'{http}\' )"/>',
    '<rect width="9" height="9" style="fill: u/**/rl({http})"/>',
    '<rect style="background: u\\72l({http})" width="9" height="9"/>',
    "<style>@import url({http});</style>",
    "<style>@font-face {{ font-family: x; src: url({http}) }} text {{ font-family: x }}</style>",
    '<script>fetch("{http}")</script>',
    '<script href="{http}"/>',
    '<a href="{http}"><rect width="9" height="9"/></a>',
    '<a href="javascript:alert(1)"><rect width="9" height="9"/></a>',
    '<foreignObject width="100" height="100"><body xmlns="http://www.w3.org/1999/xhtml"><img src="{http}"/></body></foreignObject>',
    '<g onload="fetch(\'{http}\')"><rect width="9" height="9" onclick="x()"/></g>',
    '<filter id="f"><feImage href="{file}"/></filter><rect width="100" height="100" filter="url(#f)"/>',
    '<animate href="{http}" attributeName="x"/>',
    '<set attributeName="href" to="{http}"/>',
    '<cursor xlink:href="{http}"/>',
    '<text font-family="x" style="src: url({http})">a</text>',
    '<svg:image xmlns:svg="http://www.w3.org/2000/svg" href="{file}"/>',
    '<g xml:base="{http}"><use href="secret"/></g>',
    '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{file}" parse="text"/>',
    '<?xml-stylesheet href="{http}" type="text/css"?>',
    '<mask id="m"><image href="{file}" width="100" height="100"/></mask><rect width="100" height="100" mask="url(#m)"/>',
]


@pytest.mark.parametrize("inside", REACHING)
async def test_nothing_that_a_drawing_names_is_fetched_or_run(inside, canary):
    svg = HEAD + GREEN + inside.format(**canary) + "</svg>"
    written = sanitize_svg(svg).svg
    assert not re.search(
        r"<(image|script|style|foreignObject|feImage|set|animate|filter|[a-z]+:)", written
    )
    assert not re.search(
        r"""[ "'](on\w+|src|xml:base)=|javascript|data:|file:|url\((?!#)|href="(?!#)""", written
    )
    assert canary["http"] not in written and canary["file"] not in written
    assert canary["reached"] == []


async def test_nothing_that_all_of_them_name_is_seen(canary):
    text = f'<text><![CDATA[<image href="{canary["file"]}" width="100" height="100"/>]]></text>'
    whole = HEAD + GREEN + "".join(each.format(**canary) for each in REACHING) + text + "</svg>"
    output, colours = await drawn(whole)
    assert not output.failed and (255, 0, 255) not in colours
    assert "Left out of the drawing: <image>" in output.text
    assert canary["reached"] == []


LAUGHS = (
    '<!DOCTYPE svg [<!ENTITY a "'
    + "a" * 50
    + '">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(8))
    + "]>"
    + HEAD
    + "<text>&i;</text></svg>"
)
READS = f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>{HEAD}<text>&x;</text></svg>'
PARAMETER = f'<!DOCTYPE svg [<!ENTITY % x SYSTEM "http://127.0.0.1:1/"> %x;]>{HEAD}</svg>'


@pytest.mark.parametrize(
    ("svg", "said"),
    [
        (LAUGHS, "declares entities"),
        (READS, "declares entities"),
        (PARAMETER, "declares entities"),
        ("<html><body/></html>", "must begin with <svg>"),
        ("a drawing", "not well-formed"),
        (f"{HEAD}<g>", "not well-formed"),
        (f"{HEAD}&nbsp;</svg>", "not well-formed"),
        ('<svg viewBox="0 0 1e9 1e9"/>', "size is not between"),
        ('<svg width="0" height="-5"/>', "size is not between"),
        ('<svg viewBox="0 0 1000 1"/>', "times as long"),
        (HEAD + "<g>" * 200 + "</g>" * 200 + "</svg>", "nested more than"),
        (HEAD + "<rect/>" * 25_000 + "</svg>", "elements"),
        ("<svg>" + " " * 300_000 + "</svg>", "characters"),
    ],
)
async def test_what_is_no_drawing_is_refused_in_one_sentence(svg, said):
    output = await Tools().sketch(svg=svg)
    assert output.failed and said in output.text and "\n" not in output.text and not output.images


USES = "".join(
    f'<g id="g{n}">{f"<use href=_#g{n - 1}_/>".replace("_", chr(34)) * 10}</g>' for n in range(1, 9)
)
COSTLY = [
    f'{HEAD}<defs><rect id="g0" width="1" height="1"/>{USES}</defs><use href="#g8"/></svg>',
    f'{HEAD}<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g></svg>',
    f'{HEAD}<pattern id="p" width="1e-7" height="1e-7" patternUnits="userSpaceOnUse"><rect width="1" height="1"/></pattern>'
    '<rect width="100" height="100" fill="url(#p)"/></svg>',
    f'{HEAD}<rect width="1e30" height="1e30"/><circle r="1e38"/><path d="M0 0 L1e300 1e300 Z"/></svg>',
    HEAD + '<g opacity="0.5">' * 20 + GREEN + "</g>" * 20 + "</svg>",
    f'{HEAD}<path d="M0 0 {"L1 1 A5 5 0 0 1 9 9 " * 8000}" stroke="red" stroke-width="1e-9" stroke-dasharray="1e-9"/></svg>',
    f'{HEAD}<text font-size="1e9">{"W" * 20_000}</text></svg>',
]


@pytest.mark.parametrize("svg", COSTLY, ids=range(len(COSTLY)))
async def test_a_costly_drawing_ends_in_an_image_or_a_sentence(svg):
    output = await Tools().sketch(svg=svg)
    assert output.images or (output.failed and output.text.endswith("."))


async def test_a_drawing_that_asks_for_too_much_ends_its_own_process_alone():
    with pytest.raises(InvalidToolArguments, match="more time or memory"):
        await render_svg(sanitize_svg(f"{HEAD}</svg>"), (100_000, 100_000))


async def test_rendering_that_is_cancelled_leaves_no_process(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    task = asyncio.create_task(render_svg(sanitize_svg(COSTLY[0]), (1024, 1024)))
    while not list(tmp_path.iterdir()):
        await asyncio.sleep(0.01)
    while not rendering():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []
    assert not rendering()


def rendering():
    """The processes of this one that render."""
    children = [
        pid
        for task in Path("/proc/self/task").glob("*/children")
        for pid in task.read_text().split()
    ]
    return [
        pid
        for pid in children
        if b"musespark.vision.draw.render_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


NAMES = st.sampled_from(
    [
        "svg",
        "g",
        "rect",
        "image",
        "script",
        "use",
        "style",
        "text",
        "foreignObject",
        "x:y",
        "a",
        "path",
        "tspan",
    ]
)
KEYS = st.sampled_from(
    [
        "href",
        "xlink:href",
        "onload",
        "style",
        "fill",
        "d",
        "width",
        "id",
        "transform",
        "src",
        "xmlns",
        "xml:base",
    ]
)
VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "url(#a)",
            "url(http://127.0.0.1)",
            "#a",
            "file:///etc/passwd",
            "javascript:x()",
            "url('#a') url(x)",
            "1e9",
            "expression(x)",
            "\\75rl(x)",
            "@import x",
            "URL (x)",
        ]
    ),
)


def _element(name, attributes, inside):
    written = "".join(
        f" {key}={quoteattr(re.sub('[^ -~]', '', value))}" for key, value in attributes.items()
    )
    return f"<{name}{written}>{''.join(inside)}</{name}>"


ELEMENTS = st.recursive(
    st.builds(lambda text: re.sub("[^ -~]|[<&>]", "", text), st.text(max_size=10)),
    lambda inner: st.builds(
        _element, NAMES, st.dictionaries(KEYS, VALUES, max_size=4), st.lists(inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.lists(ELEMENTS, max_size=5).map("".join))
@example('<use href="#a" xlink:href="http://x"/>')
@example('<rect style="fill:url(#a);stroke:url(//x)"/>')
def test_whatever_is_written_what_comes_out_is_well_formed_and_names_nothing_outside(inside):
    try:
        written = sanitize_svg(
            f'<svg xmlns="{SVG}" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:x="urn:x">{inside}</svg>'
        ).svg
    except InvalidToolArguments as error:
        assert str(error).endswith(".")
        return
    for element in ElementTree.fromstring(written).iter():
        assert element.tag.removeprefix(f"{{{SVG}}}") in {
            "svg",
            "g",
            "rect",
            "use",
            "text",
            "a",
            "path",
            "tspan",
        }
        for key, value in element.attrib.items():
            name = key.rpartition("}")[2]
            assert not name.startswith("on") and name not in ("src", "base")
            assert "href" not in name or value.startswith("#")
            assert (
                not re.search(r"url\s*\((?!\s*['\"]?#)", value, re.I)
                and "\\" not in value
                and "@" not in value
            )


@settings(deadline=None)
@given(st.one_of(st.text(), st.text(alphabet='<svg/> "=&;[]!-?CDATA#x', max_size=60)))
def test_any_text_is_a_drawing_or_one_sentence(text):
    try:
        ElementTree.fromstring(sanitize_svg(text).svg)
    except InvalidToolArguments as error:
        assert str(error).endswith(".") and "\n" not in str(error)


def test_the_image_that_comes_back_is_a_png_of_that_size():
    png = asyncio.run(render_svg(sanitize_svg(f"{HEAD}{GREEN}</svg>"), (64, 32)))
    assert pillow.open(io.BytesIO(png)).size == (64, 32)
