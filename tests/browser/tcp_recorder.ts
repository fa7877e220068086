/** A TCP proxy that writes down what passes: the truth about a dialogue, from neither end of it. */
export class TcpRecorder implements AsyncDisposable {
  /** Octets to the server and to the client so far, one character each. */
  toServer = "";
  toClient = "";
  /** Where connections go on to. */
  serverPort = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #running = new Set<Promise<void>>();

  constructor() {
    this.#running.add(this.#accept());
  }

  /** Where to connect to, on 127.0.0.1. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async #accept(): Promise<void> {
    try {
      for await (const client of this.#listener) {
        const server = await Deno.connect({ hostname: "127.0.0.1", port: this.serverPort });
        this.#connections.add(client).add(server);
        this.#running.add(this.#pass(client, server, (text) => this.toServer += text));
        this.#running.add(this.#pass(server, client, (text) => this.toClient += text));
      }
    } catch {
      // closed
    }
  }

  async #pass(from: Deno.Conn, to: Deno.Conn, record: (text: string) => void): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let count; (count = await from.read(buffer)) !== null;) {
        record(new TextDecoder("latin1").decode(buffer.subarray(0, count)));
        for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
      }
      to.close();
    } catch {
      // closed by the other side
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch {
        // closed before
      }
    }
    await Promise.all(this.#running);
  }
}
