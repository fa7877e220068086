/**
 * Which foreign programs are here, and tests that are skipped visibly where one is not.
 *
 * With `INTEROP_REQUIRED=1` in the environment (as in continuous integration) nothing is skipped: a missing
 * program makes its tests fail.
 *
 * @module
 */

/** A foreign program, or a set of modules, that tests may need. */
export type Program =
  | "ffmpeg"
  | "ffprobe"
  | "gst-launch-1.0"
  | "gst-python"
  | "gst-rtsp-server"
  | "tshark"
  | "cjpeg"
  | "jpegtran"
  | "imagemagick"
  | "python3";

/** ImageMagick of the system: programs of that name elsewhere in PATH may know fewer formats. */
export const CONVERT = "/usr/bin/convert";

/** The Python that sees Debian's `gi` modules: one from elsewhere in PATH would not. */
export const PYTHON = "/usr/bin/python3";

const GI =
  "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; Gst.init(None);";
const GST_PLAY = "rtspsrc udpsrc rtpjpegdepay jpegdec appsink";
const GST_SERVE = "matroskademux jpegparse rtpjpegpay";

/** One command line for each program that succeeds only where the program is usable. */
const PROBES: Record<Program, readonly string[]> = {
  "ffmpeg": ["ffmpeg", "-version"],
  "ffprobe": ["ffprobe", "-version"],
  "gst-launch-1.0": ["gst-inspect-1.0", "rtspsrc"],
  "gst-python": [
    PYTHON,
    "-c",
    `${GI} assert all(map(Gst.ElementFactory.find, "${GST_PLAY}".split()))`,
  ],
  "gst-rtsp-server": [
    PYTHON,
    "-c",
    `${GI} gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer;` +
    `assert all(map(Gst.ElementFactory.find, "${GST_SERVE}".split()))`,
  ],
  // Not only the program: it must be allowed to open the loopback device too.
  "tshark": ["tshark", "-i", "lo", "-L"],
  "cjpeg": ["cjpeg", "-version"],
  "jpegtran": ["jpegtran", "-version"],
  "imagemagick": [CONVERT, "-version"],
  "python3": [PYTHON, "--version"],
};

/** Where to get what is missing. */
const PACKAGES: Record<Program, string> = {
  "ffmpeg": "ffmpeg",
  "ffprobe": "ffmpeg",
  "gst-launch-1.0": "gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-rtsp",
  "gst-python": "python3-gi gstreamer1.0-plugins-good gstreamer1.0-rtsp",
  "gst-rtsp-server": "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good",
  "tshark": "tshark (and the right to capture on lo)",
  "cjpeg": "libjpeg-turbo-progs",
  "jpegtran": "libjpeg-turbo-progs",
  "imagemagick": "imagemagick",
  "python3": "python3",
};

const found = new Map<Program, boolean>();

/** Whether a program is here and works. */
export function hasProgram(program: Program): boolean {
  let here = found.get(program);
  if (here === undefined) {
    const [command, ...args] = PROBES[program];
    try {
      const probe = new Deno.Command(command, {
        args,
        stdin: "null",
        stdout: "null",
        stderr: "null",
      });
      here = probe.outputSync().success;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      here = false;
    }
    found.set(program, here);
  }
  return here;
}

/** Registers a test that needs foreign programs; where one is missing, the name says so and the test is ignored. */
export function testWith(
  programs: readonly Program[],
  name: string,
  fn: (test: Deno.TestContext) => void | Promise<void>,
): void {
  const missing = programs.filter((program) => !hasProgram(program));
  if (missing.length === 0 || Deno.env.get("INTEROP_REQUIRED") === "1") {
    Deno.test(name, async (test) => {
      if (missing.length > 0) throw new Error(`Cannot run this test: ${advice(missing)}`);
      await fn(test);
    });
  } else {
    Deno.test({ name: `${name} [skipped: ${advice(missing)}]`, ignore: true, fn });
  }
}

function advice(missing: readonly Program[]): string {
  return missing.map((program) => `${program} is missing, install ${PACKAGES[program]}`).join("; ");
}
