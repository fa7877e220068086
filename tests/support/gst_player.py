"""A GStreamer RTSP player for tests: plays a URL of Motion-JPEG and does what a list of actions says.

Actions, done one after the other: `frames:N` plays until N more frames came, `pause:S` pauses for S seconds,
`seek:S` seeks to S seconds, `rate:R:S:T` plays from S to T seconds (backwards from T to S) at rate R by Scale, `speed:R:S` plays from S seconds at
rate R by Speed, `end` plays until the end of the stream. The JPEG frames that came are written one
behind the other to the file OUTPUT. Standard output gets one JSON object a line: {"frame": size} for each frame
and {"action": text, "frames": count} after each action; {"error": text} ends it all with code 1.
"""
import argparse
import json
import sys
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("output")
parser.add_argument("actions", nargs="+")
parser.add_argument("--protocols", default="tcp+udp-mcast+udp")
parser.add_argument("--latency", default="300")
parser.add_argument("--limit", type=float, default=60, help="seconds for any one action")
options = parser.parse_args()

Gst.init(None)
pipeline = Gst.parse_launch(
    f'rtspsrc location="{options.url}" protocols={options.protocols} latency={options.latency} '
    "! rtpjpegdepay ! appsink name=sink sync=false async=false"
)
sink = pipeline.get_by_name("sink")
bus = pipeline.get_bus()
output = open(options.output, "wb")
frames = 0


def say(**fields):
    print(json.dumps(fields), flush=True)


def fail(text):
    say(error=text)
    pipeline.set_state(Gst.State.NULL)
    sys.exit(1)


def check_errors():
    message = bus.pop_filtered(Gst.MessageType.ERROR)
    if message is not None:
        error, _ = message.parse_error()
        fail(error.message)


def set_state(state):
    pipeline.set_state(state)
    deadline = time.monotonic() + options.limit
    while True:
        check_errors()
        result, current, pending = pipeline.get_state(100 * Gst.MSECOND)
        if result == Gst.StateChangeReturn.FAILURE:
            fail(f"cannot reach {state.value_nick}")
        # A live source reaches PAUSED without a first frame.
        if current == state and result != Gst.StateChangeReturn.ASYNC:
            return
        if time.monotonic() > deadline:
            fail(f"{state.value_nick} not reached: {current.value_nick}, pending {pending.value_nick}")


def take(wanted):
    """Takes frames until so many came (None: until the end of the stream); False at the end of the stream."""
    global frames
    deadline = time.monotonic() + options.limit
    while wanted is None or wanted > 0:
        check_errors()
        sample = sink.emit("try-pull-sample", 100 * Gst.MSECOND)
        if sample is None:
            if sink.get_property("eos"):
                return False
            if time.monotonic() > deadline:
                fail(f"no end in {options.limit} s, {frames} frames so far")
            continue
        buffer = sample.get_buffer()
        octets = buffer.extract_dup(0, buffer.get_size())
        output.write(octets)
        frames += 1
        say(frame=len(octets))
        if wanted is not None:
            wanted -= 1
    return True


set_state(Gst.State.PLAYING)
for action in options.actions:
    verb, _, value = action.partition(":")
    if verb == "frames":
        take(int(value))
    elif verb == "end":
        take(None)
    elif verb == "pause":
        set_state(Gst.State.PAUSED)
        time.sleep(float(value))
        set_state(Gst.State.PLAYING)
    elif verb == "seek":
        if not pipeline.seek_simple(
            Gst.Format.TIME, Gst.SeekFlags.FLUSH, int(float(value) * Gst.SECOND)
        ):
            fail("seek refused")
    elif verb == "rate":
        rate, start, stop = (float(number) for number in value.split(":"))
        # Frames may be left out: rtspsrc then asks for Scale; without SKIP it asks for Speed.
        flags = Gst.SeekFlags.FLUSH | Gst.SeekFlags.SKIP
        event = Gst.Event.new_seek(
            rate, Gst.Format.TIME, flags,
            Gst.SeekType.SET, int(start * Gst.SECOND), Gst.SeekType.SET, int(stop * Gst.SECOND),
        )
        if not pipeline.send_event(event):
            fail("seek refused")
    elif verb == "speed":
        rate, start = (float(number) for number in value.split(":"))
        if not pipeline.seek(
            rate, Gst.Format.TIME, Gst.SeekFlags.FLUSH,
            Gst.SeekType.SET, int(start * Gst.SECOND), Gst.SeekType.NONE, 0,
        ):
            fail("seek refused")
    else:
        fail(f"unknown action {action}")
    say(action=action, frames=frames)
output.close()
pipeline.set_state(Gst.State.NULL)
