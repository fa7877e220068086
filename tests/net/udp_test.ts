import { assertEquals, assertThrows } from "@std/assert";
import { TransportError } from "../../lib/errors.ts";
import { openUdp, openUdpPair } from "../../lib/net/udp.ts";
import { testDatagramSocket } from "../suites/datagram_socket_suite.ts";

testDatagramSocket({ name: "openUdp()", make: (hostname) => openUdp({ hostname }) });

Deno.test("openUdp() says in a sentence why a port cannot be had", () => {
  using taken = openUdp({ hostname: "127.0.0.1" });
  const error = assertThrows(
    () => openUdp({ hostname: "127.0.0.1", port: taken.address.port }),
    TransportError,
    "in use",
  );
  assertEquals(error.errno, "EADDRINUSE");
  assertThrows(
    () => openUdp({ hostname: "192.0.2.1" }),
    TransportError,
    "no address of this machine",
  );
});

Deno.test("openUdpPair() opens an even port and the next one", () => {
  for (let round = 0; round < 5; round++) {
    const [rtp, rtcp] = openUdpPair({ hostname: "127.0.0.1" });
    assertEquals(rtp.address.port % 2, 0);
    assertEquals(rtcp.address.port, rtp.address.port + 1);
    rtp.close();
    rtcp.close();
  }
});

Deno.test("openUdpPair() keeps to a range, and says so when it is used up", () => {
  const [first, second] = openUdpPair({ hostname: "127.0.0.1" });
  const { port } = first.address;
  first.close();
  second.close();
  const ports = [port - 1, port + 1] as const;
  const [rtp, rtcp] = openUdpPair({ hostname: "127.0.0.1", ports });
  try {
    assertEquals([rtp.address.port, rtcp.address.port], [port, port + 1]);
    assertThrows(
      () => openUdpPair({ hostname: "127.0.0.1", ports }),
      TransportError,
      `from ${port - 1} to ${port + 1}`,
    );
  } finally {
    rtp.close();
    rtcp.close();
  }
});
