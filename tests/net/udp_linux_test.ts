import { assert, assertEquals } from "@std/assert";
import type { PacketBatch } from "../../lib/net/socket.ts";
import { openUdp } from "../../lib/net/udp.ts";
import { accelerateUdp, raiseReceiveBuffer, segmentsArrive } from "../../lib/net/udp_linux.ts";

const isLinux = Deno.build.os === "linux" && ["x86_64", "aarch64"].includes(Deno.build.arch);
const name = (text: string) => isLinux ? text : `${text} [skipped: needs Linux on x86-64 or ARM64]`;

Deno.test({
  name: name("accelerateUdp() sends each segment as a datagram of its own, the last one shorter"),
  ignore: !isLinux,
  async fn() {
    using receiver = openUdp({ hostname: "127.0.0.1" });
    using sender = accelerateUdp(openUdp({ hostname: "127.0.0.1" }))!;
    // More than one message holds, less than a default receive buffer does.
    const batch = batchOf(70, 300, 7);
    assert(sender.send(batch, receiver.address));
    for (let i = 0; i < 70; i++) {
      const datagram = await receiver.receive();
      assertEquals(datagram?.bytes.length, i === 69 ? 7 : 300);
      assertEquals([datagram?.bytes[0], datagram?.port], [i, sender.address.port]);
    }
    assertEquals(sender.statistics(), { sent: 70, dropped: 0, received: 0, lastError: undefined });
  },
});

Deno.test({
  name: name("accelerateUdp() lets the batch be changed as soon as send() returns"),
  ignore: !isLinux,
  async fn() {
    using first = openUdp({ hostname: "127.0.0.1" });
    using second = openUdp({ hostname: "127.0.0.1" });
    using sender = accelerateUdp(openUdp({ hostname: "127.0.0.1" }))!;
    const batch = batchOf(3, 100, 100);
    sender.send(batch, first.address);
    batch.bytes.fill(0xaa);
    sender.send(batch, second.address, 1, 1);
    assertEquals((await first.receive())?.bytes[0], 0);
    assertEquals((await second.receive())?.bytes, new Uint8Array(100).fill(0xaa));
  },
});

Deno.test({
  name: name("accelerateUdp() serves IPv6, and both families tell whether segments arrive"),
  ignore: !isLinux,
  async fn() {
    for (const hostname of ["127.0.0.1", "::1"]) {
      using socket = accelerateUdp(openUdp({ hostname }))!;
      assertEquals(await segmentsArrive(socket), true);
    }
  },
});

Deno.test({
  name: name("accelerateUdp() drops and counts what has no address of its family, and goes on"),
  ignore: !isLinux,
  fn() {
    using sender = accelerateUdp(openUdp({ hostname: "127.0.0.1" }))!;
    for (const hostname of ["::1", "localhost", "", "999.1.1.1"]) {
      assertEquals(sender.sendTo(Uint8Array.of(1), { hostname, port: 9 }), false);
    }
    assertEquals(sender.statistics().dropped, 4);
  },
});

Deno.test({
  name: name("accelerateUdp() counts what the system refuses, and sends the rest"),
  ignore: !isLinux,
  async fn() {
    using receiver = openUdp({ hostname: "127.0.0.1" });
    using sender = accelerateUdp(openUdp({ hostname: "127.0.0.1" }))!;
    // Port 0 is no receiver: EINVAL.
    sender.sendTo(Uint8Array.of(1), { hostname: "127.0.0.1", port: 0 });
    sender.sendTo(Uint8Array.of(2), receiver.address);
    assertEquals((await receiver.receive())?.bytes, Uint8Array.of(2));
    const { sent, dropped } = sender.statistics();
    assertEquals({ sent, dropped, maxSegments: sender.maxSegments }, {
      sent: 1,
      dropped: 1,
      maxSegments: 64,
    });
  },
});

Deno.test({
  name: name("accelerateUdp() leaves no descriptor behind"),
  ignore: !isLinux,
  fn() {
    const before = [...Deno.readDirSync("/proc/self/fd")].length;
    for (let i = 0; i < 20; i++) accelerateUdp(openUdp({ hostname: "127.0.0.1" }))!.close();
    assertEquals([...Deno.readDirSync("/proc/self/fd")].length, before);
  },
});

Deno.test({
  name: name("raiseReceiveBuffer() tells the size that the system granted"),
  ignore: !isLinux,
  fn() {
    using socket = openUdp({ hostname: "127.0.0.1" });
    const granted = raiseReceiveBuffer(socket.address, 1 << 17);
    assert(granted !== undefined && granted >= 1 << 17, `${granted}`);
  },
});

/** Packets whose first octet is their number, the last of `tail` octets. */
function batchOf(packetCount: number, packetSize: number, tail: number): PacketBatch {
  const bytes = new Uint8Array((packetCount - 1) * packetSize + tail);
  for (let i = 0; i < packetCount; i++) bytes[i * packetSize] = i;
  return { bytes, packetSize, packetCount, payloadSize: bytes.length };
}
