import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TransportError } from "../../lib/errors.ts";
import { connectTcp, listenTcp } from "../../lib/net/tcp.ts";
import type { ByteStream } from "../../lib/net/socket.ts";

/** Two ends of one connection. */
async function connected(): Promise<[client: ByteStream, server: ByteStream]> {
  using listener = listenTcp({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const client = await connectTcp(listener.address);
  return [client, (await accepting)!];
}

Deno.test("connectTcp() and listenTcp() make a stream of bytes with known ends", async () => {
  const [client, server] = await connected();
  using _client = client;
  using _server = server;
  assertEquals(client.remoteAddress, server.localAddress);
  assertEquals(client.localAddress, server.remoteAddress);
  await client.write(new Uint8Array([1, 2, 3]));
  const buffer = new Uint8Array(10);
  assertEquals(await server.read(buffer), 3);
  assertEquals([...buffer.subarray(0, 3)], [1, 2, 3]);
});

Deno.test("ByteStream.write() writes everything, however slow the reader", async () => {
  const [client, server] = await connected();
  using _client = client;
  using _server = server;
  const bytes = new Uint8Array(20 << 20);
  for (let index = 0; index < bytes.length; index += 4096) bytes[index] = index >> 12;
  const writing = client.write(bytes).then(() => client.closeWrite());
  const buffer = new Uint8Array(65_536);
  let size = 0;
  let differences = 0;
  for (let count = await server.read(buffer); count !== null; count = await server.read(buffer)) {
    for (let index = 0; index < count; index++) {
      if (buffer[index] !== bytes[size + index]) differences++;
    }
    size += count;
  }
  await writing;
  assertEquals([size, differences], [bytes.length, 0]);
});

Deno.test("ByteStream.write() refuses a second writer, who would tear the bytes", async () => {
  const [client, server] = await connected();
  using _client = client;
  using _server = server;
  const first = client.write(new Uint8Array(20 << 20)).catch(() => {});
  await assertRejects(() => client.write(new Uint8Array(1)), TypeError, "another write");
  client.close();
  await first;
});

Deno.test("ByteStream.read() ends with null at the peer's FIN and at our own close()", async () => {
  const [client, server] = await connected();
  await client.closeWrite();
  assertEquals(await server.read(new Uint8Array(1)), null);
  const pending = client.read(new Uint8Array(1));
  client.close();
  client.close();
  assertEquals(await pending, null);
  assertEquals(await client.read(new Uint8Array(1)), null);
  server.close();
});

Deno.test("ByteStream.close() ends a write that waits for a reader", async () => {
  const [client, server] = await connected();
  using _server = server;
  const writing = client.write(new Uint8Array(30 << 20));
  const outcome = assertRejects(() => writing, TransportError);
  await new Promise((resolve) => setTimeout(resolve, 20));
  client.close();
  await outcome;
});

Deno.test("listenTcp() tells why a port cannot be had", () => {
  using listener = listenTcp({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.address;
  const error = assertThrows(
    () => listenTcp({ hostname: "127.0.0.1", port }),
    TransportError,
    "in use by another program",
  );
  assertEquals([error.operation, error.errno], ["listen", "EADDRINUSE"]);
});

Deno.test("StreamListener.accept() ends with undefined when the listener is closed", async () => {
  const listener = listenTcp({ hostname: "127.0.0.1", port: 0 });
  const pending = listener.accept();
  listener.close();
  assertEquals(await pending, undefined);
  assertEquals(await listener.accept(), undefined);
});

Deno.test("connectTcp() tells when nobody listens, and when it takes too long", async () => {
  const listener = listenTcp({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.address;
  listener.close();
  const error = await assertRejects(
    () => connectTcp({ hostname: "127.0.0.1", port }),
    TransportError,
    "nobody listens there, start the server",
  );
  assertEquals(error.operation, "connect");
  const aborted = AbortSignal.abort();
  await assertRejects(
    () => connectTcp({ hostname: "127.0.0.1", port, signal: aborted }),
    TransportError,
  );
});

Deno.test("listenTcp() on :: takes IPv4 too, and shows its addresses as such", async () => {
  let listener;
  try {
    listener = listenTcp({ hostname: "::", port: 0 });
  } catch {
    return; // This machine has no IPv6.
  }
  using open = listener;
  const accepting = open.accept();
  using client = await connectTcp({ hostname: "127.0.0.1", port: open.address.port });
  using server = (await accepting)!;
  assert(client.remoteAddress.port === open.address.port);
  assertEquals(server.remoteAddress.hostname, "127.0.0.1");
});
