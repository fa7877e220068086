import { assert, assertEquals } from "@std/assert";
import type { ByteStream } from "../../lib/net/socket.ts";
import { connectTcp, listenTcp } from "../../lib/net/tcp.ts";
import { accelerateTcp } from "../../lib/net/tcp_linux.ts";

const isLinux = Deno.build.os === "linux";

/** A client's portable end, and the server's end that can write at once. */
async function connected(hostname: string): Promise<[client: ByteStream, server: ByteStream]> {
  const portable = listenTcp({ hostname, port: 0 });
  using listener = accelerateTcp(portable) ?? portable;
  const accepting = listener.accept();
  const client = await connectTcp({ hostname: "127.0.0.1", port: listener.address.port });
  return [client, (await accepting)!];
}

for (const hostname of ["127.0.0.1", "::"]) {
  Deno.test({
    name: `accelerateTcp() writes at once to the right connection of several on ${hostname}${
      isLinux ? "" : " (skipped: Linux only)"
    }`,
    ignore: !isLinux,
    fn: async () => {
      const pairs = [await connected(hostname), await connected(hostname)];
      const buffer = new Uint8Array(10);
      for (const [i, [client, server]] of pairs.entries()) {
        assertEquals(server.writeNow?.(Uint8Array.of(i, 7)), 2);
        assertEquals(await client.read(buffer), 2);
        assertEquals(buffer[0], i);
      }
      for (const ends of pairs) for (const end of ends) end.close();
    },
  });
}

Deno.test({
  name: "accelerateTcp() takes what the system has room for, and the rest goes by write()",
  ignore: !isLinux,
  fn: async () => {
    const [client, server] = await connected("127.0.0.1");
    using _client = client;
    using _server = server;
    const bytes = new Uint8Array(32 << 20).map((_, i) => i % 251);
    const taken = server.writeNow!(bytes);
    assert(taken > 0 && taken < bytes.length, `${taken} taken`);
    const writing = server.write(bytes.subarray(taken)).then(() => server.closeWrite());
    const buffer = new Uint8Array(65_536);
    let size = 0;
    let differences = 0;
    for (let count = await client.read(buffer); count !== null; count = await client.read(buffer)) {
      for (let i = 0; i < count; i++) if (buffer[i] !== (size + i) % 251) differences++;
      size += count;
    }
    await writing;
    assertEquals([size, differences], [bytes.length, 0]);
  },
});

Deno.test({
  name: "accelerateTcp() takes nothing once the connection is closed here or there",
  ignore: !isLinux,
  fn: async () => {
    const [client, server] = await connected("127.0.0.1");
    client.close();
    while (server.writeNow!(new Uint8Array(1000)) > 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    server.close();
    assertEquals(server.writeNow!(new Uint8Array(1)), 0);
  },
});
