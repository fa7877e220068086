/**
 * A further thread of a server: it listens on the port that the main thread listens on, and serves whom the system sends
 * here from beginning to end.
 *
 * Floor 4 (assembly). Started by `server_pool.ts` and spoken to by the messages of `thread_messages.ts` alone.
 *
 * @module
 */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { TransportError } from "../errors.ts";
import type { ServerEvent } from "./events.ts";
import { type Envelope, Mailbox } from "./mailbox.ts";
import { limitsOf } from "./options.ts";
import { rehearse } from "./rehearsal.ts";
import { RtspServer } from "./server.ts";
import { type ServerThread, serverThread } from "./server_thread.ts";
import type { MessageFromWorker, MessageToWorker } from "./thread_messages.ts";

type Start = Extract<MessageToWorker, { type: "start" }>;

let thread: ServerThread | undefined;
let starting: Promise<RtspServer | undefined> | undefined;

const mailbox = new Mailbox<MessageFromWorker, MessageToWorker>(
  (envelope) => self.postMessage(envelope),
  take,
);
self.addEventListener("message", (event: MessageEvent<Envelope<MessageToWorker>>) => {
  mailbox.receive(event.data);
});

function take(message: MessageToWorker): void {
  switch (message.type) {
    case "start":
      starting = start(message);
      break;
    case "threads":
      thread?.receiver?.shareAmong(message.count);
      break;
    case "letter":
      thread?.receiver?.receive(message.letter, message.from);
      break;
    case "ask":
      tellAccount(message.id);
      break;
    case "goodbye":
      part();
      break;
    case "close":
      close();
      break;
  }
}

async function start({ index, options, memory }: Start): Promise<RtspServer | undefined> {
  thread = serverThread(index, memory, limitsOf(options), {
    post: (letter, to) => mailbox.post({ type: "letter", letter, to }),
    congestion: () => mailbox.congestion,
  });
  const told = {
    ...options,
    media: typeof options.media === "string" ? options.media : new URL(options.media.href),
    sample: options.sample && new URL(options.sample.href),
    listener: (event: ServerEvent) => {
      // The main thread has said where all of them listen.
      if (event.type !== "listening") mailbox.post({ type: "event", event });
    },
  };
  // Readers come as soon as it listens.
  await rehearse(told);
  try {
    const server = await RtspServer.start(told, thread);
    mailbox.post({ type: "started" });
    return server;
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    mailbox.post({ type: "refused", message: error.message });
    return undefined;
  }
}

async function tellAccount(id: number): Promise<void> {
  const server = await starting;
  if (server === undefined) return;
  const account = { sessions: server.sessions(), statistics: server.statistics() };
  mailbox.post({ type: "account", id, account });
}

async function part(): Promise<void> {
  const server = await starting;
  await server?.part();
  mailbox.post({ type: "parted" });
}

async function close(): Promise<void> {
  const server = await starting;
  await server?.close();
  mailbox.post({ type: "closed" });
}
