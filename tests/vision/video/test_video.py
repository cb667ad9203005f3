"""Videos: key frames with their times, the contact sheet, damaged and hostile files."""

import asyncio
import io
import subprocess
import sys
import threading
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from movies import BLACK, BLUE, GREEN, RED, WHITE, kept, movie, song, turned
from PIL import Image as pillow

from musespark.content import Message, Request, Text
from musespark.errors import BadOption, BadVideo, MissingFile
from musespark.vision.video import clip as clips, key_frames
from musespark.vision.video.clip import Deadline, open_video
from musespark.vision.video.key_frames import KeyFrameSelector, difference
from musespark.vision.video.load import as_video, load_video, run_in_thread, select_key_frames

THREE = [(0.0, RED), (1.0, GREEN), (2.5, BLUE)]
SECONDS = st.lists(st.integers(1, 3000), min_size=1, max_size=20).map(
    lambda steps: np.cumsum([0, *steps]) / 1000
)


def found(data: bytes) -> list[float]:
    with open_video(data) as clip:
        return [scene.time for scene in select_key_frames(clip, Deadline(60))[0].selected]


def at(image: pillow.Image, x: float, y: float) -> tuple[int, ...]:
    return image.getpixel((int(x * image.width), int(y * image.height)))


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) < 40


@pytest.mark.parametrize(
    ("format", "codec", "kind"),
    [
        ("mp4", "libx264", "video/mp4"),
        ("mov", "libx264", "video/quicktime"),
        ("webm", "libvpx", "video/webm"),
        ("webm", "libvpx-vp9", "video/webm"),
        ("matroska", "libx264", "video/x-matroska"),
        ("avi", "mpeg4", "video/x-msvideo"),
        ("avi", "mjpeg", "video/x-msvideo"),
        ("gif", "gif", "image/gif"),
    ],
)
def test_every_kind_of_file_shows_its_changes_with_their_times(format, codec, kind):
    video = as_video(movie(THREE, format=format, codec=codec, end=4.0))
    assert video.media_type == kind and video.seconds == pytest.approx(4, abs=0.11)
    assert (
        "1 at 0.00 s, 2 at 1.00 s, 3 at 2.50 s." in video.caption
        and "96x64" in video.caption
        and "silent" in video.caption
    )


def test_the_sheet_shows_the_frames_in_order_under_their_numbers():
    sheet = pillow.open(io.BytesIO(as_video(movie(THREE, end=4.0)).sheet.data))
    assert max(sheet.size) <= 1536 and sheet.mode == "RGB"
    colours = [
        colour for _, colour in sorted(sheet.getcolors(sheet.width * sheet.height), reverse=True)
    ]
    shown = [
        next(wanted for wanted in (WHITE, RED, GREEN, BLUE) if near(colour, wanted))
        for colour in colours[:4]
    ]
    assert sorted(shown) == sorted([WHITE, RED, GREEN, BLUE])
    pixels = np.asarray(sheet).astype(int)
    places = {
        wanted: np.argwhere(np.abs(pixels - wanted).max(2) < 40).mean(0)
        for wanted in (RED, GREEN, BLUE)
    }
    order = sorted(places, key=lambda wanted: (round(places[wanted][0] / 20), places[wanted][1]))
    assert order == [RED, GREEN, BLUE]
    assert (pixels < 60).all(2).any()  # numbers and times are written on it


@settings(max_examples=15, deadline=None)
@given(SECONDS)
def test_of_frames_at_uneven_times_each_is_found_when_it_comes_on(times):
    coloured = [
        (float(time), (RED, GREEN, BLUE, WHITE, BLACK)[index % 5])
        for index, time in enumerate(times[: key_frames.MAX_FRAMES])
    ]
    assert found(movie(coloured)) == pytest.approx([time for time, _ in coloured], abs=0.0011)


blocks = st.lists(st.integers(0, 255), min_size=3, max_size=3).map(
    lambda colour: np.tile(np.array(colour, np.uint8), (2, 2, 1))
)


@given(st.lists(blocks, min_size=1, max_size=40), st.integers(1, 6))
def test_the_first_is_always_chosen_and_no_more_than_there_is_room_for_in_order(frames, most):
    chosen = KeyFrameSelector(most)
    for index, frame in enumerate(frames):
        chosen.add(float(index), frame, lambda: pillow.new("RGB", (1, 1)))
        assert len(chosen.selected) <= most
    times = [scene.time for scene in chosen.selected]
    assert times[0] == 0 and times == sorted(set(times))
    for before, after in zip(chosen.selected, chosen.selected[1:], strict=False):
        assert after.change == difference(before.signature, after.signature)


@given(st.lists(blocks, min_size=1, max_size=40))
def test_where_there_is_room_every_frame_is_like_the_one_chosen_before_it(frames):
    chosen = KeyFrameSelector(len(frames))
    for index, frame in enumerate(frames):
        chosen.add(float(index), frame, lambda: pillow.new("RGB", (1, 1)))
        assert difference(chosen.selected[-1].signature, frame) < key_frames.MIN_CHANGE
    assert chosen.dropped == 0


def test_of_too_many_changes_the_greatest_stay():
    shades = [(index * 0.1, (index * 3,) * 3) for index in range(30)]
    cuts = [(3.0, WHITE), (4.0, RED), (5.0, BLACK)]
    times = found(movie([*shades, *cuts], end=6.0))
    assert len(times) == key_frames.MAX_FRAMES and {3.0, 4.0, 5.0} <= {
        round(time, 2) for time in times
    }
    assert "the most different frames" in as_video(movie([*shades, *cuts], end=6.0)).caption


def test_where_all_moves_the_cuts_are_found_and_no_stretch_is_left_out():
    rng = np.random.default_rng(0)
    walls = [
        np.kron(rng.integers(0, 255, (8, 24, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        for _ in range(6)
    ]
    frames = [
        (index * 0.1, np.ascontiguousarray(np.roll(walls[index // 40], index % 40, 1)[:, :96]))
        for index in range(240)
    ]
    times = found(movie(frames))
    assert {0.0, 4.0, 8.0, 12.0, 16.0, 20.0} <= {round(time, 2) for time in times} and len(
        times
    ) == key_frames.MAX_FRAMES
    assert max(np.diff([*times, 24.0])) <= 4.0


def test_a_word_that_appears_on_a_screen_is_seen_and_a_pointer_is_not():
    page = np.full((720, 1280, 3), 250, np.uint8)
    page[80:120, 80:1200] = 90
    typed, pointed = page.copy(), page.copy()
    typed[400:420, 200:300:4] = typed[400:420, 201:300:4] = 20
    pointed[300:318, 500:508] = 0
    assert found(movie([(0.0, page), (1.0, typed)], size=(1280, 720), end=2.0)) == [0.0, 1.0]
    assert found(movie([(0.0, page), (1.0, pointed)], size=(1280, 720), end=2.0)) == [0.0]


def test_a_still_video_is_one_frame():
    video = as_video(movie([(0.0, RED)], end=3.0))
    assert "Nothing changes in it" in video.caption and found(video.data) == [0.0]
    assert pillow.open(io.BytesIO(video.sheet.data)).size[0] < 200


def test_sound_is_said_not_to_be_heard():
    assert "with sound, which is not heard" in as_video(movie(THREE, sound=True)).caption


def test_an_image_that_lies_on_its_side_is_put_upright():
    halves = np.zeros((64, 96, 3), np.uint8)
    halves[:, :48], halves[:, 48:] = RED, BLUE
    with open_video(turned(movie([(0.0, halves)], end=1.0))) as clip:
        _, frame = next(clip.frames(Deadline(10)))
        upright = clip.to_image(frame, 768)
    assert upright.size == (64, 96) == clip.size
    assert near(at(upright, 0.5, 0.2), RED) and near(at(upright, 0.5, 0.8), BLUE)


def test_pixels_that_are_not_square_are_made_so():
    assert "192x64 pixels" in as_video(movie(THREE, ratio=Fraction(2, 1))).caption


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: b"", "it is empty"),
        (lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not an MP4"),
        (lambda: b"ffconcat version 1.0\nfile /etc/passwd\n", "not an MP4"),
        (lambda: b"\0\0\0\x18ftypheic" + bytes(100), "not an MP4"),
        (lambda: b"\0\0\0\x18ftypmp42" + bytes(100), "broken or cut short"),
        (lambda: movie(THREE)[:600], "broken or cut short"),
        (song, "no moving pictures"),
        (
            lambda: movie(THREE, format="matroska", codec="ffv1"),
            "its coding, ffv1, is not read here",
        ),
        (lambda: 42, "neither a path nor"),
    ],
)
def test_what_is_no_video_is_one_sentence(make, says):
    with pytest.raises(BadVideo, match=says) as error:
        as_video(make())
    assert str(error.value).endswith(".") and ". " not in str(error.value)


def test_a_video_that_is_too_large_or_too_long_is_told_before_it_is_looked_through(
    monkeypatch, tmp_path
):
    data = movie(THREE, end=4.0)
    with pytest.raises(BadVideo, match="lasts 1,200 seconds or more, and at most 600"):
        as_video(movie([(0.0, RED)], end=1200.0))
    monkeypatch.setattr(clips, "MAX_PIXELS", 1000)
    with pytest.raises(BadVideo, match="96x64 pixels, more than 1,000"):
        as_video(data)
    monkeypatch.setattr(clips, "MAX_BYTES", 500)
    with pytest.raises(BadVideo, match=r"'.*clip\.mp4' cannot be used: it has more than 500 bytes"):
        as_video(kept(tmp_path / "clip.mp4", data))
    monkeypatch.undo()
    monkeypatch.setattr(clips, "MAX_FRAMES", 2)
    with pytest.raises(BadVideo, match="more than 2 frames"):
        as_video(data)


def test_a_length_that_is_a_lie_is_found_out():
    data = bytearray(movie([(0.0, RED), (700.0, GREEN)], format="matroska"))
    duration = data.index(b"\x44\x89\x88")  # an EBML float of eight bytes
    data[duration + 3 : duration + 11] = np.array([1000.0], ">f8").tobytes()
    with pytest.raises(BadVideo, match="lasts 700 seconds or more"):
        as_video(bytes(data))


@pytest.mark.parametrize("format", ["matroska", "avi"])
def test_of_a_video_that_breaks_off_is_shown_what_there_is(format):
    rng = np.random.default_rng(0)
    noise = [(index / 10, rng.integers(0, 255, (64, 96, 3), np.uint8)) for index in range(40)]
    data = movie(noise, format=format, codec="mpeg4")
    half = as_video(data[: len(data) // 2])
    assert 0.5 < half.seconds < 3.5
    damaged = bytearray(data)
    damaged[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    video = as_video(bytes(damaged))
    assert video.caption.count(" at ") > 4


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_happens_to_a_file_it_is_a_video_or_one_sentence(data):
    whole = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 8))):
        where = data.draw(st.integers(0, len(whole) - 1))
        whole[where] = data.draw(st.integers(0, 255))
    del whole[data.draw(st.integers(len(whole) // 2, len(whole))) :]
    try:
        assert as_video(bytes(whole)).seconds <= clips.MAX_SECONDS + 60
    except BadVideo as error:
        assert str(error).endswith(".")


WHOLE = movie(THREE, end=4.0)


def test_a_file_that_is_not_there():
    with pytest.raises(MissingFile):
        as_video("/nowhere.mp4")


def test_when_patience_ends_what_was_seen_is_shown_and_said_to_be_a_part():
    class Once(Deadline):
        asked = 0

        @property
        def passed(self):
            self.asked += 1
            return self.asked > 3

    video = as_video(
        movie(
            [(index / 10, RED if index % 2 else BLUE) for index in range(40)], codec="mpeg4", key=1
        ),
        Once(0),
    )
    assert "There was no time to look at more of it" in video.caption and video.seconds < 1
    with pytest.raises(BadVideo, match="could be decoded in time"):
        as_video(WHOLE, Deadline(0))


async def test_cancelling_leaves_no_thread_at_work():
    began, ended = threading.Event(), threading.Event()

    def work(deadline: Deadline) -> None:
        began.set()
        deadline.cancelled.wait(30)
        ended.set()

    task = asyncio.create_task(run_in_thread(work, 60))
    await asyncio.to_thread(began.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_looking_through_a_video_leaves_the_loop_free(tmp_path):
    video = await load_video(kept(tmp_path / "clip.mp4", WHOLE))
    assert await load_video(video) is video and video.data == WHOLE


def test_nothing_that_a_video_refers_to_is_opened(tmp_path):
    secret = kept(tmp_path / "secret.mp4", movie([(0.0, WHITE)], end=1.0))
    playlist = (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n"
        + str(secret).encode()
        + b"\n#EXT-X-ENDLIST\n"
    )
    for disguise in (b"", b"\0\0\0\x18ftypmp42", b"\x1aE\xdf\xa3", b"RIFF\0\0\0\0AVI ", b"GIF89a"):
        with pytest.raises(BadVideo):
            as_video(disguise + playlist)


def test_as_images_it_is_its_caption_and_its_sheet():
    video = as_video(WHOLE)
    request = Request.of("What happens?", videos=[video])
    assert (
        request.videos == (video,) and request.images == () and request.question == "What happens?"
    )
    parts = request.as_images().messages[0].parts
    assert parts == (Text(video.caption), video.sheet, Text("What happens?"))
    assert request.as_images(lambda video: True) == request
    assert Message.user("no video").as_images() == Message.user("no video")
    with pytest.raises(BadOption, match="at most 4 videos"):
        Request.of("What happens?", videos=[video] * 5)


def test_without_pyav_it_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['av'] = None\nfrom musespark.vision.video.load import as_video\n"
        "try: as_video(b'GIF89a')\nexcept Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("NotInstalled Watching a video needs av")
