import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/command_line.ts";
import { parseServerArguments, parseUsersFile, serverHelp } from "../../lib/server/command_line.ts";

Deno.test("parseServerArguments() has defaults that just work", () => {
  const command = parseServerArguments([]);
  assertEquals(command, {
    action: "run",
    port: 8554,
    host: "0.0.0.0",
    media: undefined,
    frameRateHz: undefined,
    boundary: undefined,
    follow: false,
    loop: false,
    live: false,
    logLevel: "info",
    json: false,
    rtpPorts: undefined,
    udp: "auto",
    burstPackets: 64,
    workers: undefined,
    users: [],
    usersFile: undefined,
    maxConnections: 4096,
    maxConnectionsPerAddress: 256,
    fit: true,
    repair: "all",
    restartMarkers: "keep",
    maxSize: undefined,
    cacheBytes: 268_435_456,
    sessionTimeoutSeconds: 60,
    preview: undefined,
    capture: undefined,
  });
});

Deno.test("parseServerArguments() reads every option, with a blank or an equals sign", () => {
  const text =
    "1025 --host :: --media films --fps=29.97 --follow --loop --live --log-level debug --json " +
    "--rtp-ports 50000-50009 --udp portable --burst 16 --workers 1 --user ann:a:b --user=bob: --users file --max-connections 9 " +
    "--max-connections-per-address 3 --no-fit --repair lossless --restart-interval rows " +
    "--max-size 1920x1080 --cache 64M --session-timeout 7 --preview [::1]:81 --capture c.pcapng";
  const command = parseServerArguments(text.split(" "));
  assertEquals(command, {
    action: "run",
    port: 1025,
    host: "::",
    media: "films",
    frameRateHz: 29.97,
    boundary: undefined,
    follow: true,
    loop: true,
    live: true,
    logLevel: "debug",
    json: true,
    rtpPorts: [50000, 50009],
    udp: "portable",
    burstPackets: 16,
    workers: 1,
    users: [["ann", "a:b"], ["bob", ""]],
    usersFile: "file",
    maxConnections: 9,
    maxConnectionsPerAddress: 3,
    fit: false,
    repair: "lossless",
    restartMarkers: "rows",
    maxSize: { width: 1920, height: 1080 },
    cacheBytes: 67_108_864,
    sessionTimeoutSeconds: 7,
    preview: { hostname: "::1", port: 81 },
    capture: "c.pcapng",
  });
  assertEquals(parseServerArguments(["0"]).port, 0);
  assertEquals(parseServerArguments(["-h"]).action, "help");
  assertEquals(parseServerArguments(["--version"]).action, "version");
});

Deno.test("parseServerArguments() refuses in one sentence that says what to write", () => {
  const cases: [args: string, sentence: RegExp][] = [
    ["70000", /PORT is "70000".*0 to 65535/],
    ["-1", /"-1" is a negative number/],
    ["abc", /PORT is "abc"/],
    ["1025 1026", /"1026" is one argument too many/],
    ["--prot 5", /no option "--prot"/],
    ["--media", /--media needs a value: --media DIR/],
    ["--fps 0", /--fps is "0"/],
    ["--fps fast", /--fps is "fast"/],
    ["--loop=yes", /--loop takes no value/],
    ["--fit", /no option "--fit"/],
    ["--media --loop", /--media needs a value/],
    ["-x", /no option "-x"/],
    ["--log-level loud", /error, warn, info or debug/],
    ["--repair some", /--repair is "some": it must be off, lossless or all/],
    ["--restart-interval 5", /--restart-interval is "5": it must be keep, none or rows/],
    ["--max-size big", /--max-size is "big".*1920x1080/],
    ["--max-size 4x4", /at least 8x8/],
    ["--cache much", /--cache is "much".*64M/],
    ["--workers 0", /--workers is "0": it must be.*1 to 64/],
    ["--workers 2 --preview 0", /--preview works with one thread: leave out --workers/],
    ["--capture c.pcapng --workers 2", /--capture works with one thread/],
    ["--rtp-ports 5", /even port and the next one/],
    ["--rtp-ports 5001-5001", /even port and the next one/],
    ["--rtp-ports 5001-5002", /even port and the next one/],
    ["--rtp-ports 60000-70000", /even port and the next one/],
    ["--user ann", /--user must be NAME:PASSWORD/],
    ["--user :x", /NAME:PASSWORD/],
    ["--max-connections 0", /--max-connections is "0"/],
    ["--session-timeout 1.5", /whole number/],
    ["--preview here", /--preview is "here".*ADDR:PORT/],
  ];
  for (const [args, sentence] of cases) {
    const error = assertThrows(() => parseServerArguments(args.split(" ")), UsageError);
    assertMatch(error.message, sentence);
    assert(!error.message.includes("\n"));
  }
});

Deno.test("parseUsersFile() reads one NAME:PASSWORD a line, and never repeats a bad line", () => {
  assertEquals(parseUsersFile("# users\nann:a:b\r\n\nbob:\n", "f"), [["ann", "a:b"], ["bob", ""]]);
  const error = assertThrows(() => parseUsersFile("ann:x\nsecret\n", "f"), UsageError);
  assertMatch(error.message, /^line 2 of "f"/);
  assert(!error.message.includes("secret"));
  assertThrows(() => parseUsersFile("# nobody\n", "f"), UsageError, "names no user");
});

Deno.test("serverHelp() shows every option on a line of its own, and examples that can be typed", () => {
  const help = serverHelp();
  for (
    const option of [
      "--host ADDR",
      "--media DIR",
      "--fps N",
      "--loop",
      "--log-level L",
      "--json",
      "--rtp-ports A-B",
      "--user NAME:PASSWORD",
      "--users FILE",
      "--max-connections N",
      "--max-connections-per-address N",
      "--no-fit",
      "--session-timeout S",
      "-h, --help",
      "-V, --version",
    ]
  ) {
    assert(help.split("\n").some((line) => line.startsWith(`  ${option}  `)), option);
  }
  for (const program of ["ffplay", "gst-launch-1.0", "rtsp-client"]) assert(help.includes(program));
  assert(help.split("\n").every((line) => line.length <= 100));
});
