import { assert, assertEquals } from "@std/assert";
import { ERRNO, type Libc, openLibc } from "../../lib/net/libc.ts";
import { openUdp } from "../../lib/net/udp.ts";
import { accelerateUdp, raiseReceiveBuffer, segmentsArrive } from "../../lib/net/udp_linux.ts";
import { numberedBatch, take, testDatagramSocket } from "../suites/datagram_socket_suite.ts";

const isLinux = Deno.build.os === "linux" && ["x86_64", "aarch64"].includes(Deno.build.arch);
const name = (text: string) => isLinux ? text : `${text} [skipped: needs Linux on x86-64 or ARM64]`;

testDatagramSocket({
  name: "accelerateUdp()",
  make: (hostname) => accelerateUdp(openUdp({ hostname }))!,
  skipped: isLinux ? undefined : "needs Linux on x86-64 or ARM64",
});

/** Where `msg_controllen` lies in `struct msghdr`. */
const CONTROL_SIZE_AT = 40;

/** A C library whose first calls to send fail for this reason: those with segments only, or any. */
function failingLibc(
  errno: number,
  failures: number,
  { onlySegments = false, most = Infinity } = {},
): Libc {
  const libc = openLibc()!;
  let hasFailed = false;
  const isFailing = (controlSize: number) =>
    hasFailed = (controlSize > 0 || !onlySegments) && failures-- > 0;
  const sendmsg: Libc["calls"]["sendmsg"] = (fd, message, flags) => {
    const isFailure = isFailing((message as Uint8Array)[CONTROL_SIZE_AT]);
    return isFailure ? -1 : libc.calls.sendmsg(fd, message, flags);
  };
  const sendmmsg: Libc["calls"]["sendmmsg"] = (fd, messages, count, flags) => {
    const isFailure = isFailing((messages as Uint8Array)[CONTROL_SIZE_AT]);
    // The system may take fewer than it is asked to.
    return isFailure ? -1 : libc.calls.sendmmsg(fd, messages, Math.min(count, most), flags);
  };
  return {
    calls: { ...libc.calls, sendmsg, sendmmsg },
    errno: () => hasFailed ? errno : libc.errno(),
    close: () => libc.close(),
  };
}

Deno.test({
  name: name("accelerateUdp() sends packet by packet for good where the system refuses segments"),
  ignore: !isLinux,
  async fn() {
    for (const errno of [ERRNO.EIO, ERRNO.EINVAL, ERRNO.EMSGSIZE]) {
      using receiver = openUdp({ hostname: "127.0.0.1" });
      const libc = failingLibc(errno, Infinity, { onlySegments: true });
      using sender = accelerateUdp(openUdp({ hostname: "127.0.0.1" }), libc)!;
      sender.send(numberedBatch(3, 400), receiver.address);
      sender.send(numberedBatch(2, 400), receiver.address);
      const numbers = (await take(receiver, 6)).map((bytes) => bytes[1]);
      assertEquals(numbers, [0, 0, 1, 2, 0, 1], "the first one tells that it is possible");
      assertEquals(sender.maxSegments, 1);
      assertEquals([sender.statistics().sent, sender.statistics().dropped], [5, 0]);
    }
  },
});

Deno.test({
  name: name("accelerateUdp() keeps segments after one receiver that nothing can be sent to"),
  ignore: !isLinux,
  async fn() {
    using receiver = openUdp({ hostname: "127.0.0.1" });
    const libc = failingLibc(ERRNO.EINVAL, 2);
    using sender = accelerateUdp(openUdp({ hostname: "127.0.0.1" }), libc)!;
    sender.send(numberedBatch(3, 400), receiver.address);
    sender.send(numberedBatch(2, 400), receiver.address);
    assertEquals((await take(receiver, 2)).map((bytes) => bytes[1]), [0, 1]);
    assertEquals([sender.maxSegments, sender.statistics().dropped], [64, 3]);
  },
});

Deno.test({
  name: name("accelerateUdp() waits for room where the system has none, and keeps the order"),
  ignore: !isLinux,
  async fn() {
    for (const errno of [ERRNO.EAGAIN, ERRNO.ENOBUFS]) {
      using receiver = openUdp({ hostname: "127.0.0.1" });
      const libc = failingLibc(errno, 1);
      using sender = accelerateUdp(openUdp({ hostname: "127.0.0.1" }), libc)!;
      const { address } = receiver;
      for (let round = 0; round < 3; round++) sender.send(numberedBatch(4, 100), address);
      sender.sendTo(Uint8Array.of(0, 99), address);
      const numbers = (await take(receiver, 13)).map((bytes) => bytes[1]);
      assertEquals(numbers, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 99]);
      while (sender.waitingBytes(address) > 0) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const { sent, dropped } = sender.statistics();
      assertEquals([sent, dropped], [13, 0]);
    }
  },
});

Deno.test({
  name: name(
    "accelerateUdp() sends to many where the system takes a few at a time, or refuses segments",
  ),
  ignore: !isLinux,
  async fn() {
    for (
      const libc of [
        failingLibc(ERRNO.EINVAL, 0, { most: 3 }),
        failingLibc(ERRNO.EIO, Infinity, { onlySegments: true }),
        failingLibc(ERRNO.ENOBUFS, 1),
        failingLibc(ERRNO.EAGAIN, 4),
      ]
    ) {
      const receivers = Array.from({ length: 10 }, () => openUdp({ hostname: "127.0.0.1" }));
      using sender = accelerateUdp(openUdp({ hostname: "127.0.0.1" }), libc)!;
      const set = receivers.map(({ address }) => address);
      const refused: number[] = [];
      for (let round = 0; round < 3; round++) {
        sender.sendToMany(numberedBatch(50, 1400), set, 0, 50, (i) => refused.push(i));
        for (const [index, receiver] of receivers.entries()) {
          // Its first packet told whether packets get through alone.
          const isProbed = sender.maxSegments === 1 && index === 0 && round === 0;
          const numbers = (await take(receiver, isProbed ? 51 : 50)).map((bytes) => bytes[1]);
          if (isProbed) assertEquals(numbers.shift(), 0);
          assertEquals(numbers, numbers.map((_, at) => at));
        }
      }
      for (const receiver of receivers) receiver.close();
      assertEquals(refused, []);
      for (const to of set) {
        while (sender.waitingBytes(to) > 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      assertEquals([sender.statistics().sent, sender.statistics().dropped], [1500, 0]);
    }
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
