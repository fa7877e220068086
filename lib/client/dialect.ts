/**
 * Finds out which language the server speaks: RFC 2326 first, and the lab's when the server shows that it is one of
 * those.
 *
 * Floor 4 (client assembly). A lab server betrays itself by an answer in its own form, by hanging up, or by silence. A
 * standard server that is only slow is not taken for one: its connection stays open while the lab's is tried.
 *
 * @module
 */

import { RtspFormatError, TransportError } from "../errors.ts";
import { pause } from "./backoff.ts";
import type { Conversation, ConversationContext } from "./conversation.ts";
import type { Dialogue } from "./dialogue.ts";
import { openChosenThread } from "./receive_choice.ts";
import { LabConversation } from "./lab_conversation.ts";
import { StandardConversation } from "./standard_conversation.ts";
import { connectStandard } from "./standard_setup.ts";
import type { ClientSettings } from "./options.ts";
import type { ClientDialect, ClientTransport } from "./statistics.ts";

/** A conversation, and how the dialect was decided. */
export interface OpenedConversation {
  /** The session, ready to play. */
  readonly conversation: Conversation;
  /** Why it is not in the standard dialect, where it was found out. */
  readonly reason?: string;
}

/**
 * Connects, finds out the dialect unless it is known, describes and sets up.
 *
 * @param known The dialect that this server was found to speak earlier.
 * @throws whatever the conversations throw; their messages are for people.
 */
export async function openConversation(
  context: ConversationContext,
  transport: "auto" | ClientTransport,
  known?: ClientDialect,
): Promise<OpenedConversation> {
  if (transport === "tcp") return await converse(context, transport, known);
  // It starts while the server is asked; the conversation's socket holds it from then on.
  using receiveThread = openChosenThread(context.settings.udp, context.note);
  return await converse({ ...context, receiveThread }, transport, known);
}

async function converse(
  context: ConversationContext,
  transport: "auto" | ClientTransport,
  known: ClientDialect | undefined,
): Promise<OpenedConversation> {
  const { settings, credentials } = context;
  const dialect = known ?? settings.dialect;
  if (dialect === "lab") return { conversation: await LabConversation.open(context) };
  const { host, port } = settings.target;
  const dialogue = await connectStandard(context, {
    host,
    port,
    credentials: credentials.known,
    detectsLab: dialect === "auto",
  });
  const hangUp = () => dialogue.close();
  context.signal.addEventListener("abort", hangUp);
  try {
    if (dialect === "rtsp") {
      const greeting = await greet(dialogue, settings.target.href);
      if (greeting !== "standard") throw notStandard(settings, greeting);
      return { conversation: await StandardConversation.open(context, dialogue, transport) };
    }
    return await decide(context, dialogue, transport);
  } catch (error) {
    dialogue.close();
    context.signal.throwIfAborted();
    throw error;
  } finally {
    context.signal.removeEventListener("abort", hangUp);
  }
}

/** `standard`, or what betrayed a lab server. */
type Greeting = "standard" | "answer" | "closed" | "silent";

/** OPTIONS harms no server and is answered by every standard one, if only by an error. */
async function greet(dialogue: Dialogue, url: string, onSent?: () => void): Promise<Greeting> {
  try {
    const response = await dialogue.request({ method: "OPTIONS", uri: url }, onSent);
    return response.lab === undefined ? "standard" : "answer";
  } catch (error) {
    if (error instanceof RtspFormatError) throw noRtspServer(dialogue, error);
    if (!(error instanceof TransportError)) throw error;
    return error.errno === "ETIMEDOUT" ? "silent" : "closed";
  }
}

async function decide(
  context: ConversationContext,
  dialogue: Dialogue,
  transport: "auto" | ClientTransport,
): Promise<OpenedConversation> {
  const { settings } = context;
  const sent = Promise.withResolvers<void>();
  const greeting = greet(dialogue, settings.target.href, sent.resolve);
  await Promise.race([sent.promise, greeting]); // what holds the request back is no silence
  const waiting = new AbortController();
  const stop = AbortSignal.any([context.signal, waiting.signal]);
  const outcome = await Promise.race([greeting, pause(settings.probeMs, stop)])
    .finally(() => waiting.abort());
  const first = typeof outcome === "boolean" ? "silent" : outcome;
  if (first === "standard") {
    return { conversation: await StandardConversation.open(context, dialogue, transport) };
  }
  context.signal.throwIfAborted();
  if (first === "answer" || first === "closed") {
    dialogue.close();
    const reason = REASONS[first];
    return { conversation: await openLabInstead(context, reason), reason };
  }
  return await raceLab(context, dialogue, greeting, transport);
}

/** The standard connection stays open: a late answer on it wins over the lab's silence. */
async function raceLab(
  context: ConversationContext,
  dialogue: Dialogue,
  greeting: Promise<Greeting>,
  transport: "auto" | ClientTransport,
): Promise<OpenedConversation> {
  const giveUp = new AbortController();
  const signal = AbortSignal.any([context.signal, giveUp.signal]);
  const reason = REASONS.silent;
  const lab = openLabInstead({ ...context, signal }, reason);
  const isStandard = greeting.then((result) => result === "standard", () => false);
  const winner = await Promise.race([
    lab.then(() => "lab" as const, () => "none" as const),
    isStandard.then((yes) =>
      yes ? "standard" as const : lab.then(() => "lab" as const, () => "none" as const)
    ),
  ]);
  if (winner === "standard" || (winner === "none" && await isStandard)) {
    giveUp.abort();
    await lab.then((conversation) => conversation.close(), () => {});
    context.note("The server answered in the standard dialect after all");
    return { conversation: await StandardConversation.open(context, dialogue, transport) };
  }
  dialogue.close();
  return { conversation: await lab, reason };
}

async function openLabInstead(
  context: ConversationContext,
  reason: string,
): Promise<Conversation> {
  context.note(`${reason}: trying the lab dialect on a new connection`);
  try {
    return await LabConversation.open(context);
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    if (error.operation === "connect") {
      // Some lab servers take one connection in their life, and we have just used it up.
      throw new TransportError(
        `${error.message}; the server took one connection only, start it again and use --dialect lab`,
        { operation: "connect", errno: error.errno, cause: error },
      );
    }
    if (error.operation !== "SETUP") throw error;
    const { host, port, href } = context.settings.target;
    throw new TransportError(
      `Cannot play "${href}": ${host} port ${port} answers neither standard RTSP nor the lab dialect; check host and port`,
      { operation: "SETUP", errno: error.errno, cause: error },
    );
  }
}

const REASONS = {
  answer: "The server answers in the lab dialect",
  closed: "The server hung up on a standard request",
  silent: "The server stays silent to a standard request",
} as const;

/** What came in is neither dialect: some other program listens there. */
function noRtspServer(dialogue: Dialogue, cause: RtspFormatError): TransportError {
  const { hostname, port } = dialogue.remoteAddress;
  return new TransportError(
    `Cannot play from ${hostname} port ${port}: no RTSP server listens there, check the port (${cause.message})`,
    { operation: "OPTIONS", cause },
  );
}

function notStandard(settings: ClientSettings, greeting: Greeting): TransportError {
  const { host, port } = settings.target;
  const what = greeting === "silent" ? "gives no answer" : "hangs up";
  return new TransportError(
    `Cannot play from ${host} port ${port}: it ${what} on a standard request, try --dialect auto`,
    { operation: "OPTIONS", errno: greeting === "silent" ? "ETIMEDOUT" : "ECONNRESET" },
  );
}
