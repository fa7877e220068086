import { assert, assertEquals, assertThrows } from "@std/assert";
import { TransportError } from "../../lib/errors.ts";
import { sharePort } from "../../lib/net/port_sharing_linux.ts";
import { connectTcp, listenTcp } from "../../lib/net/tcp.ts";

for (const hostname of ["127.0.0.1", "0.0.0.0", "::"]) {
  Deno.test({
    name: `sharePort() lets a second listener in on ${hostname}, when it is asked and not before`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      using first = listenTcp({ hostname, port: 0 });
      const { port } = first.address;
      const share = () => listenTcp({ hostname, port, isPortShared: true });
      assertThrows(share, TransportError, "in use");
      assert(sharePort(first));
      using second = share();
      // Who wants the port alone does not get it.
      assertThrows(() => listenTcp({ hostname, port }), TransportError, "in use");
      const accepted = [0, 0];
      const accepting = [first, second].map(async (listener, i) => {
        for (let stream = await listener.accept(); stream; stream = await listener.accept()) {
          accepted[i]++;
          stream.close();
        }
      });
      for (let i = 0; i < 100; i++) {
        using stream = await connectTcp({
          hostname: hostname === "::" ? "::1" : "127.0.0.1",
          port,
        });
        assertEquals(await stream.read(new Uint8Array(1)), null);
      }
      first.close();
      second.close();
      await Promise.all(accepting);
      assertEquals(accepted[0] + accepted[1], 100);
      assert(accepted[0] > 10 && accepted[1] > 10, accepted.join());
    },
  });
}

Deno.test({
  name: "sharePort() does nothing to an address where nobody listens",
  ignore: Deno.build.os !== "linux",
  fn: () => {
    const listener = listenTcp({ hostname: "127.0.0.1", port: 0 });
    listener.close();
    assertEquals(sharePort(listener), false);
  },
});
