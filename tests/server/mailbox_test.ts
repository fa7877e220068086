import { assert, assertEquals } from "@std/assert";
import { type Envelope, Mailbox } from "../../lib/server/mailbox.ts";

/** Two ends; what one sends waits until it is carried over. */
function pair() {
  const toThere: Envelope<number>[] = [], toHere: Envelope<string>[] = [];
  const got: number[] = [], answers: string[] = [];
  const here = new Mailbox<number, string>(
    (envelope) => toThere.push(envelope),
    (message) => answers.push(message),
  );
  const there = new Mailbox<string, number>(
    (envelope) => toHere.push(envelope),
    (message) => {
      got.push(message);
      there.post(`got ${message}`);
    },
  );
  const carry = () => {
    for (const envelope of toThere.splice(0)) there.receive(envelope);
    for (const envelope of toHere.splice(0)) here.receive(envelope);
  };
  return { here, got, answers, toThere, carry };
}

Deno.test("Mailbox sends the first message at once, and those that come meanwhile together after it, in order", () => {
  const { here, got, answers, toThere, carry } = pair();
  for (let i = 0; i < 5; i++) here.post(i);
  assertEquals(toThere, [{ type: "batch", messages: [0] }]);
  carry();
  assertEquals(toThere.at(-1), { type: "batch", messages: [1, 2, 3, 4] });
  for (let i = 0; i < 5; i++) carry();
  assertEquals(got, [0, 1, 2, 3, 4]);
  assertEquals(answers, got.map((i) => `got ${i}`));
});

Deno.test("Mailbox asks for a pause while too much waits, and not when the other end is gone", async () => {
  const { here, got, carry } = pair();
  for (let i = 0; i < 1000; i++) here.post(i);
  assertEquals(here.congestion, undefined);
  here.post(1000);
  const { congestion } = here;
  assert(congestion instanceof Promise);
  assertEquals(here.congestion, congestion);
  carry();
  await congestion;
  assertEquals(here.congestion, undefined);
  carry();
  assertEquals(got.length, 1001);
  for (let i = 0; i < 5000; i++) here.post(i);
  const last = here.congestion;
  here.close();
  await last;
  assertEquals(here.congestion, undefined);
});
