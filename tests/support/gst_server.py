"""A GStreamer RTSP server for tests: plays one Matroska file of Motion-JPEG at rtsp://127.0.0.1:PORT/live.

Writes "PORT <number>" when it listens, then "CLIENT" and "TEARDOWN" as things happen; ends with SIGTERM
or SIGINT.
"""
import argparse
import signal

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("media", help="the Matroska file")
parser.add_argument("--transport", choices=["both", "udp", "tcp"], default="both")
parser.add_argument("--auth", choices=["none", "basic", "digest"], default="none")
parser.add_argument("--user", default="user")
parser.add_argument("--password", default="secret")
parser.add_argument("--shared", action="store_true", help="one pipeline for all clients")
parser.add_argument("--payload-type", type=int, default=26)
parser.add_argument("--mtu", type=int, default=1400)
parser.add_argument("--timeout", type=int, default=60, help="session timeout in seconds")
parser.add_argument("--path", default="/live")
options = parser.parse_args()

Gst.init(None)
server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1")
server.set_service("0")

LOWER = {
    "udp": GstRtsp.RTSPLowerTrans.UDP,
    "tcp": GstRtsp.RTSPLowerTrans.TCP,
    "both": GstRtsp.RTSPLowerTrans.UDP | GstRtsp.RTSPLowerTrans.TCP,
}
factory = GstRtspServer.RTSPMediaFactory.new()
factory.set_launch(
    f'( filesrc location="{options.media}" ! matroskademux ! jpegparse ! '
    f"rtpjpegpay name=pay0 pt={options.payload_type} mtu={options.mtu} )"
)
factory.set_shared(options.shared)
factory.set_protocols(LOWER[options.transport])

if options.auth != "none":
    METHODS = {
        "basic": GstRtsp.RTSPAuthMethod.BASIC,
        "digest": GstRtsp.RTSPAuthMethod.DIGEST,
    }
    auth = GstRtspServer.RTSPAuth.new()
    auth.set_supported_methods(METHODS[options.auth])
    token = GstRtspServer.RTSPToken.new()
    token.set_string("media.factory.role", "reader")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options.user, options.password), token)
    auth.add_digest(options.user, options.password, token)
    permissions = Gst.Structure.new_empty("reader")
    permissions.set_value("media.factory.access", True)
    permissions.set_value("media.factory.construct", True)
    factory.add_role_from_structure(permissions)
    server.set_auth(auth)

server.get_mount_points().add_factory(options.path, factory)



def on_client(_server, client):
    print("CLIENT", flush=True)
    client.connect("new-session", lambda _client, session: session.set_timeout(options.timeout))
    client.connect("teardown-request", lambda *_: print("TEARDOWN", flush=True))


server.connect("client-connected", on_client)
pool = server.get_session_pool()
loop = GLib.MainLoop()
server.attach(None)
GLib.timeout_add(500, lambda: pool.cleanup() or True)
for number in (signal.SIGTERM, signal.SIGINT):
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)
print("PORT", server.get_bound_port(), flush=True)
loop.run()
