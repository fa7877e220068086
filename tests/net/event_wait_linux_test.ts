import { assert, assertEquals } from "@std/assert";
import { openEventWait } from "../../lib/net/event_wait_linux.ts";
import { openUdp } from "../../lib/net/udp.ts";
import { accelerateUdp } from "../../lib/net/udp_linux.ts";

const isLinux = Deno.build.os === "linux";

/** Waits again and again until nothing of what came before is left to do. */
async function settled(wait: { wait(ms: number): boolean }): Promise<void> {
  while (wait.wait(1)) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test({
  name: "openEventWait() waits as long as it is told, to a fraction of a millisecond",
  ignore: !isLinux,
  fn: async () => {
    const wait = openEventWait()!;
    await settled(wait);
    const began = performance.now();
    assertEquals(wait.wait(2.5), false);
    assert(performance.now() - began >= 2.4);
    assertEquals(wait.wait(0), false);
    wait.close();
  },
});

Deno.test({
  name: "openEventWait() ends the wait when a datagram comes, and leaves it to the event loop",
  ignore: !isLinux,
  fn: async () => {
    const wait = openEventWait()!;
    using socket = openUdp({ hostname: "127.0.0.1" });
    const receiving = socket.receive();
    await settled(wait);
    using portable = openUdp({ hostname: "127.0.0.1" });
    using sender = accelerateUdp(portable)!;
    sender.sendTo(Uint8Array.of(5), socket.address);
    const began = performance.now();
    assertEquals(wait.wait(5_000), true);
    assert(performance.now() - began < 4_000);
    assertEquals((await receiving)?.bytes[0], 5);
    wait.close();
  },
});

Deno.test({
  name: "openEventWait() is not ended by what the fast path sends",
  ignore: !isLinux,
  fn: async () => {
    const wait = openEventWait()!;
    using target = openUdp({ hostname: "127.0.0.1" });
    using sender = accelerateUdp(openUdp({ hostname: "127.0.0.1" }))!;
    await settled(wait);
    // Nobody waits for what arrives: only the sender's own event would end the wait.
    const { address } = target;
    target.close();
    await settled(wait);
    sender.sendTo(new Uint8Array(1000), address);
    assertEquals(wait.wait(5), false);
    wait.close();
  },
});
