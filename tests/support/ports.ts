/**
 * Ports for tests: always asked of the system, never fixed.
 *
 * @module
 */

/** Two UDP sockets on 127.0.0.1 with neighbouring ports, the first one even (RFC 3550 s11). */
export function freeUdpPair(): [Deno.DatagramConn, Deno.DatagramConn] {
  const open = (port: number) =>
    Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
  for (let attempt = 0; attempt < 100; attempt++) {
    const first = open(0);
    const { port } = first.addr as Deno.NetAddr;
    try {
      if (port % 2 === 0) return [first, open(port + 1)];
      const second = open(port - 1);
      return [second, first];
    } catch (error) {
      first.close();
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error("Cannot find two neighbouring UDP ports: 100 attempts failed");
}

/** A range of UDP ports, first one even, that was free a moment ago: for programs that open them themselves. */
export function freeUdpRange(pairs: number): [first: number, last: number] {
  const [rtp, rtcp] = freeUdpPair();
  const { port } = rtp.addr as Deno.NetAddr;
  rtp.close();
  rtcp.close();
  // Neighbours above are not checked: whoever opens them skips those that are taken.
  return [port, Math.min(65_535, port + 2 * pairs - 1)];
}

/** A small generator of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
