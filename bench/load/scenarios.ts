/**
 * What is compared: each scenario is one way to play, measured on every server that can, in turn.
 *
 * @module
 */
import { type Film, type FilmPlan, HD, LAB, VGA } from "./films.ts";
import type { NativePrograms } from "./native.ts";
import {
  type Dialect,
  floorServer,
  gstServer,
  labServer,
  live555Server,
  optionsOfOurServer,
  ourServer,
  type ServerKind,
} from "./servers.ts";

/** One way to play. */
export interface Scenario {
  /** Short name, a key of the results. */
  readonly name: string;
  /** What it is, for the table. */
  readonly title: string;
  readonly dialect: Dialect;
  readonly film: FilmPlan;
  readonly readers: number;
  /** Seconds to wait before counting. @default {16} */
  readonly settleS?: number;
  /** Servers by their role: what the aims compare. */
  readonly servers: Readonly<Record<string, ServerKind>>;
}

/** A scenario whose film is there. */
export type ReadyScenario = Omit<Scenario, "film"> & { readonly film: Film };

/** All servers of this machine. */
export interface Servers {
  /** Ours with its faster way to send UDP, one thread; the portable one where there is no other. */
  readonly ours: ServerKind;
  /** Ours with the portable sockets, one thread. */
  readonly portable: ServerKind | undefined;
  /** Ours with one stream for all readers, one thread. */
  readonly live: ServerKind;
  /** The same with the portable sockets. */
  readonly livePortable: ServerKind | undefined;
  /** Ours as it starts by itself: on all cores. */
  readonly oursOnAllCores: ServerKind;
  readonly gst: ServerKind | undefined;
  readonly gstShared: ServerKind | undefined;
  readonly live555: ServerKind | undefined;
  readonly live555Shared: ServerKind | undefined;
  readonly lab: ServerKind;
  readonly gso: ServerKind;
  readonly sendmmsg: ServerKind;
  readonly sendto: ServerKind;
  readonly tcp: ServerKind;
}

/** The servers, as far as this machine has them. */
export async function findServers(programs: NativePrograms): Promise<Servers> {
  const { gst, live555 } = programs;
  const options = await optionsOfOurServer();
  const alone = options.has("workers") ? ["--workers", "1"] : [];
  const hasChoice = options.has("udp");
  const fast = hasChoice ? ["--udp", "linux"] : [];
  return {
    ours: ourServer(hasChoice ? "ours, --udp linux" : "ours", [...fast, ...alone]),
    portable: hasChoice
      ? ourServer("ours, --udp portable", ["--udp", "portable", ...alone])
      : undefined,
    live: ourServer("ours, --live", ["--live", ...fast, ...alone]),
    livePortable: hasChoice
      ? ourServer("ours, --live --udp portable", ["--live", "--udp", "portable", ...alone])
      : undefined,
    oursOnAllCores: ourServer("ours, all cores", fast, options.has("workers")),
    gst: gst === undefined ? undefined : gstServer(gst, "own"),
    gstShared: gst === undefined ? undefined : gstServer(gst, "shared"),
    live555: live555 === undefined ? undefined : live555Server(live555, "own"),
    live555Shared: live555 === undefined ? undefined : live555Server(live555, "shared"),
    lab: labServer(),
    gso: floorServer(programs, "gso"),
    sendmmsg: floorServer(programs, "sendmmsg"),
    sendto: floorServer(programs, "sendto"),
    tcp: floorServer(programs, "tcp"),
  };
}

/** The scenarios of the main table. */
export function mainScenarios(s: Servers): Scenario[] {
  return [
    {
      name: "udp",
      title: "UDP, 640x480, 30 kB, 30 frames/s",
      dialect: "udp",
      film: VGA,
      readers: 100,
      servers: known({
        gso: s.gso,
        sendmmsg: s.sendmmsg,
        sendto: s.sendto,
        ours: s.ours,
        portable: s.portable,
        gst: s.gst,
        live555: s.live555,
      }),
    },
    {
      name: "hd",
      title: "UDP, 1280x720, 100 kB, 30 frames/s",
      dialect: "udp",
      film: HD,
      readers: 50,
      settleS: FEW_FRAMES_STEADY_S,
      servers: known({ gso: s.gso, ours: s.ours, gst: s.gst, live555: s.live555 }),
    },
    {
      name: "tcp",
      title: "TCP interleaved, 640x480, 30 kB, 30 frames/s",
      dialect: "tcp",
      film: VGA,
      readers: 50,
      settleS: FEW_FRAMES_STEADY_S,
      servers: known({ floor: s.tcp, ours: s.ours, gst: s.gst, live555: s.live555 }),
    },
    {
      name: "shared",
      title: "UDP, one film for all, 640x480, 30 kB, 30 frames/s",
      dialect: "udp",
      film: VGA,
      readers: 200,
      servers: known({
        gso: s.gso,
        ours: s.live,
        portable: s.livePortable,
        gst: s.gstShared,
        live555: s.live555Shared,
      }),
    },
    {
      name: "lab",
      title: "lab dialect, 12 kB, 20 frames/s",
      dialect: "lab",
      film: LAB,
      readers: 200,
      servers: known({ ours: s.ours, portable: s.portable, lab: s.lab }),
    },
  ];
}

/** A search for the largest numbers of readers. */
export interface Search {
  readonly dialect: Dialect;
  readonly film: FilmPlan;
  /** Servers by their role, each with the number to begin at. */
  readonly servers: Readonly<Record<string, { readonly kind: ServerKind; readonly start: number }>>;
}

/** The searches: of the servers that the aims compare, or with TCP and the floors. */
export function searchesFor(s: Servers, isFull: boolean): Search[] {
  const compared: Search[] = [
    {
      dialect: "udp",
      film: VGA,
      servers: startingAt({
        ours: [s.oursOnAllCores, 1200],
        gst: [s.gst, 130],
        live555: [s.live555, 60],
      }),
    },
    {
      dialect: "lab",
      film: LAB,
      servers: startingAt({ ours: [s.oursOnAllCores, 3000], lab: [s.lab, 500] }),
    },
  ];
  if (!isFull) return compared;
  const [udp, lab] = compared;
  const floor = startingAt({ gso: [s.gso, 1200] });
  const tcp = startingAt({
    floor: [s.tcp, 1000],
    ours: [s.oursOnAllCores, 1000],
    gst: [s.gst, 130],
    live555: [s.live555, 60],
  });
  return [
    { ...udp, servers: { ...udp.servers, ...floor } },
    { dialect: "tcp", film: VGA, servers: tcp },
    lab,
  ];
}

function startingAt(
  servers: Readonly<Record<string, readonly [kind: ServerKind | undefined, start: number]>>,
): Search["servers"] {
  const starts: Record<string, { kind: ServerKind; start: number }> = {};
  for (const [role, [kind, start]] of Object.entries(servers)) {
    if (kind !== undefined) starts[role] = { kind, start };
  }
  return starts;
}

/** The servers whose cost is followed from one reader to many, and from small frames to large ones. */
export function sweptServers(s: Servers): Record<string, ServerKind> {
  return { ours: s.ours, gso: s.gso };
}

/** With half as many frames a second just-in-time compilers take longer than twice as long. */
const FEW_FRAMES_STEADY_S = 60;

function known(
  servers: Readonly<Record<string, ServerKind | undefined>>,
): Record<string, ServerKind> {
  return Object.fromEntries(
    Object.entries(servers).filter((entry): entry is [string, ServerKind] =>
      entry[1] !== undefined
    ),
  );
}
