import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import fc from "fast-check";
import { RtspFormatError } from "../lib/errors.ts";
import {
  baseUrlOf,
  controlUrl,
  parseRtspUrl,
  resolveMediaPath,
  withoutCredentials,
} from "../lib/rtsp_url.ts";
import { seeded } from "./support/property.ts";

Deno.test("parseRtspUrl() takes URLs apart", () => {
  const cases: [string, Partial<ReturnType<typeof parseRtspUrl>>][] = [
    ["rtsp://h", { scheme: "rtsp", host: "h", port: 554, path: "", href: "rtsp://h" }],
    ["RTSP://h:8554/a/b?c=d#e", {
      port: 8554,
      path: "/a/b",
      query: "c=d",
      href: "rtsp://h:8554/a/b?c=d",
    }],
    ["rtsps://h/", { scheme: "rtsps", port: 322, path: "/" }],
    ["rtsp://[::1]:8554/x", { host: "::1", port: 8554, href: "rtsp://[::1]:8554/x" }],
    ["rtsp://[fe80::1%eth0]/x", { host: "fe80::1%eth0" }],
    ["rtsp://h:/x", { port: 554, href: "rtsp://h/x" }],
    ["  rtsp://h/x  ", { path: "/x" }],
    ["rtsp://ann@h/x", { username: "ann", href: "rtsp://h/x" }],
    ["rtsp://ann:@h/x", { username: "ann", password: "" }],
    ["rtsp://ann:p@ss:w@h/x", { username: "ann", password: "p@ss:w", href: "rtsp://h/x" }],
    ["rtsp://a%3Ab:c%2Fd@h/x", { username: "a:b", password: "c/d" }],
    ["rtsp://ann:100%@h/x", { password: "100%" }],
  ];
  for (const [text, expected] of cases) {
    const url = parseRtspUrl(text) as unknown as Record<string, unknown>;
    for (const [key, value] of Object.entries(expected)) {
      assertEquals(url[key], value, `${text} ${key}`);
    }
  }
  assertFalse("password" in parseRtspUrl("rtsp://ann@h/x"));
});

Deno.test("parseRtspUrl() refuses what is none, without telling the password", () => {
  const bad = [
    "",
    "h/x",
    "http://h/x",
    "rtsp:/h",
    "rtsp://",
    "rtsp:///x",
    "rtsp://h:0/x",
    "rtsp://h:65536/x",
    "rtsp://h:port/x",
    "rtsp://a b/x",
    "rtsp://[::1/x",
    "rtsp://h/a\nb",
  ];
  for (const text of bad) {
    assertEquals(assertThrows(() => parseRtspUrl(text), RtspFormatError).code, "url", text);
  }
  const error = assertThrows(() => parseRtspUrl("rtsp://ann:secret@h:0/x"), RtspFormatError);
  assertFalse(error.message.includes("secret"));
  assertFalse(JSON.stringify(error).includes("secret"));
  assertEquals(withoutCredentials("rtsp://ann:s@cret@h/x?y=@"), "rtsp://h/x?y=@");
  assertEquals(withoutCredentials("movie@home.mjpeg"), "movie@home.mjpeg");
});

/** Base, control, what FFmpeg makes of it, what GStreamer makes of it. */
const CONTROLS: [string, string | undefined, string, string][] = [
  ["rtsp://H/live/", "trackID=0", "rtsp://H/live/trackID=0", "rtsp://H/live/trackID=0"],
  ["rtsp://H/live", "trackID=0", "rtsp://H/live/trackID=0", "rtsp://H/trackID=0"],
  ["rtsp://H/live/", "/trackID=0", "rtsp://H/live/trackID=0", "rtsp://H/trackID=0"],
  ["rtsp://H/live/", "rtsp://G/x", "rtsp://G/x", "rtsp://G/x"],
  ["rtsp://H/live/", undefined, "rtsp://H/live/", "rtsp://H/live/"],
  ["rtsp://H/live/", "*", "rtsp://H/live/", "rtsp://H/live/"],
  ["rtsp://H/live?a=b", "trackID=0", "rtsp://H/live?a=b/trackID=0", "rtsp://H/trackID=0"],
  ["rtsp://H", "trackID=0", "rtsp://H/trackID=0", "rtsp://H/trackID=0"],
  ["rtsp://H/a/b/", "../c/./d/..", "rtsp://H/a/b/../c/./d/..", "rtsp://H/a/c/"],
  ["rtsp://H/a/", "?x=1", "rtsp://H/a/?x=1", "rtsp://H/a/?x=1"],
  ["rtsp://H/a/", "//G/b", "rtsp://H/a/G/b", "rtsp://G/b"],
];

Deno.test("controlUrl() joins as FFmpeg does and as RFC 3986 says", () => {
  for (const [base, control, appended, resolved] of CONTROLS) {
    assertEquals(controlUrl(base, control, "append"), appended, `${base} ${control}`);
    assertEquals(controlUrl(base, control, "rfc3986"), resolved, `${base} ${control}`);
  }
});

Deno.test("controlUrl() resolves the examples of RFC 3986 s5.4", () => {
  const base = "rtsp://a/b/c/d;p?q";
  const cases: [string, string][] = [
    ["g", "/b/c/g"],
    ["./g", "/b/c/g"],
    ["g/", "/b/c/g/"],
    ["/g", "/g"],
    ["?y", "/b/c/d;p?y"],
    ["g?y", "/b/c/g?y"],
    [";x", "/b/c/;x"],
    [".", "/b/c/"],
    ["./", "/b/c/"],
    ["..", "/b/"],
    ["../g", "/b/g"],
    ["../..", "/"],
    ["../../../g", "/g"],
    ["/./g", "/g"],
    ["/../g", "/g"],
    ["g.", "/b/c/g."],
    ["..g", "/b/c/..g"],
    ["./g/.", "/b/c/g/"],
    ["g/../h", "/b/c/h"],
  ];
  for (const [reference, path] of cases) {
    assertEquals(controlUrl(base, reference, "rfc3986"), `rtsp://a${path}`, reference);
  }
});

Deno.test("baseUrlOf() prefers the session's control, then the headers, then the request", () => {
  const requestUrl = "rtsp://h:554/live";
  const cases: [Partial<Parameters<typeof baseUrlOf>[0]>, string][] = [
    [{}, requestUrl],
    [{ sessionControl: "*", contentBase: "rtsp://h/live/" }, "rtsp://h/live/"],
    [{ sessionControl: "rtsp://g/x", contentBase: "rtsp://h/live/" }, "rtsp://g/x"],
    [{ contentLocation: "rtsp://h/other/" }, "rtsp://h/other/"],
    [{ contentBase: " ", contentLocation: "rtsp://h/other/" }, "rtsp://h/other/"],
    [{ contentBase: "/live/" }, "rtsp://h:554/live/"],
    [{ contentBase: "//g/live/" }, "rtsp://g/live/"],
    [{ contentBase: "192.168.1.5:554/live/" }, "rtsp://192.168.1.5:554/live/"],
    [{ contentBase: "cam.local/live/" }, "rtsp://cam.local/live/"],
    [{ contentBase: "other/" }, "rtsp://h:554/other/"],
  ];
  for (const [sources, base] of cases) {
    assertEquals(baseUrlOf({ requestUrl, ...sources }), base, JSON.stringify(sources));
  }
});

Deno.test("resolveMediaPath() is lenient about how a medium is named", () => {
  const cases: [string, string, string?][] = [
    ["rtsp://h:8554/movie.mjpeg", "movie.mjpeg"],
    ["rtsp://h/movie.mjpeg/", "movie.mjpeg"],
    ["rtsp://h//a///movie.mjpeg//", "a/movie.mjpeg"],
    ["rtsp://h/movie.mjpeg?x=1&y=/2", "movie.mjpeg"],
    ["rtsp://ann:secret@h/movie.mjpeg", "movie.mjpeg"],
    ["rtsp://h/movie.mjpeg/trackID=0", "movie.mjpeg", "0"],
    ["rtsp://h/movie.mjpeg//trackID=0/", "movie.mjpeg", "0"],
    ["rtsp://h/movie.mjpeg/streamid=1", "movie.mjpeg", "1"],
    ["rtsp://h/movie.mjpeg/stream=0", "movie.mjpeg", "0"],
    ["rtsp://h/movie.mjpeg/TRACKID=12", "movie.mjpeg", "12"],
    ["rtsp://h/movie.mjpeg?x=1/trackID=0", "movie.mjpeg", "0"],
    ["rtsp://h/movie.mjpeg/trackID=0?x=1", "movie.mjpeg", "0"],
    ["rtsp://h/trackID=0", "", "0"],
    ["rtsp://h/stream=0", "", "0"],
    ["rtsp://h", ""],
    ["rtsp://h/", ""],
    ["*", ""],
    ["", ""],
    ["movie.Mjpeg", "movie.Mjpeg"],
    ["./videos/movie.Mjpeg", "videos/movie.Mjpeg"],
    ["/movie.Mjpeg", "movie.Mjpeg"],
    ["100%.mjpeg", "100%.mjpeg"],
    ["rtsp://h/a%20b/%C3%BCbung.mjpeg", "a b/\u00fcbung.mjpeg"],
    ["rtsp://h/\u00fcbung.mjpeg", "\u00fcbung.mjpeg"],
    ["rtsp://h/50%25.mjpeg", "50%.mjpeg"],
    ["rtsp://h/a..b/...", "a..b/..."],
    ["rtsp://h/./a/%2e/b", "a/b"],
  ];
  for (const [uri, path, track] of cases) {
    assertEquals(resolveMediaPath(uri), track === undefined ? { path } : { path, track }, uri);
  }
});

Deno.test("resolveMediaPath() refuses paths that leave the folder, and malformed escapes", () => {
  const forbidden = [
    "rtsp://h/../etc/passwd",
    "rtsp://h/a/../../b",
    "rtsp://h/%2e%2e/b",
    "rtsp://h/a/.%2E",
    "rtsp://h/..%2fb",
    "rtsp://h/a%2Fb",
    "rtsp://h/a%5cb",
    "rtsp://h/a\\..\\b",
    "rtsp://h/a%00b",
    "rtsp://h/a%0ab",
    "rtsp://h/../trackID=0",
    "../movie.Mjpeg",
    "..\\movie.Mjpeg",
  ];
  for (const uri of forbidden) {
    const error = assertThrows(() => resolveMediaPath(uri), RtspFormatError);
    assertEquals([error.code, error.statusCode], ["forbidden-path", 404], uri);
  }
  for (const uri of ["rtsp://h/a%", "rtsp://h/%zz", "rtsp://h/%c3", "rtsp://h/%ff"]) {
    const error = assertThrows(() => resolveMediaPath(uri), RtspFormatError);
    assertEquals([error.code, error.statusCode], ["url", 400], uri);
  }
});

Deno.test("resolveMediaPath() property: no path leads upwards or is absolute", () => {
  const piece = fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.constantFrom(
      "/",
      "..",
      ".",
      "%2e",
      "%2F",
      "\\",
      "%5C",
      "%00",
      "?",
      "trackID=0",
      "rtsp://h",
      "%25",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
      try {
        const { path } = resolveMediaPath(pieces.join(""));
        const parts = path === "" ? [] : path.split("/");
        // deno-lint-ignore no-control-regex -- control characters are what is looked for
        const isWrong = (part: string) => /^\.{0,2}$|[\x00-\x1f\\]/.test(part);
        assertFalse(parts.some(isWrong));
      } catch (error) {
        if (!(error instanceof RtspFormatError)) throw error;
      }
    }),
    seeded(1000),
  );
});

Deno.test("controlUrl(), parseRtspUrl() property: any text, only RtspFormatError", () => {
  const piece = fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.constantFrom("rtsp://", "/", "..", "@", ":", "[", "]", "?", "#", "%40", "h"),
  );
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, text, (base, control) => {
      controlUrl(base, control, "append");
      controlUrl(base, control, "rfc3986");
      baseUrlOf({ requestUrl: base, contentBase: control });
      try {
        const url = parseRtspUrl(base);
        const again = parseRtspUrl(url.href);
        assertEquals([again.host, again.port, again.path, again.query], [
          url.host,
          url.port,
          url.path,
          url.query,
        ]);
        assertEquals(again.username, undefined);
      } catch (error) {
        if (!(error instanceof RtspFormatError)) throw error;
      }
    }),
    seeded(1000),
  );
});
