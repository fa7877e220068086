/** The terminal: status line, lines above it, keys and questions. */
import { assert, assertEquals } from "@std/assert";
import { Terminal } from "../../lib/ui/terminal.ts";
import { FakeTerminal } from "./fake_terminal.ts";

Deno.test("Terminal rewrites its status line and puts lines above it", () => {
  const device = new FakeTerminal();
  const terminal = new Terminal(device);
  terminal.status("one");
  terminal.log("news");
  terminal.status("two");
  terminal.status("");
  assertEquals(device.written, "one\r\x1b[2Knews\none\r\x1b[2Ktwo\r\x1b[2K");
});

Deno.test("Terminal cuts the status line to its width, colours not counted", () => {
  const device = new FakeTerminal();
  device.width = 31;
  device.hasColors = true;
  const terminal = new Terminal(device);
  terminal.status(terminal.paint("x".repeat(40), "green"));
  assertEquals(device.written, `\x1b[32m${"x".repeat(30)}\x1b[0m`);
});

Deno.test("Terminal shows no status line, no colours and asks nothing where nobody sits", async () => {
  const device = new FakeTerminal();
  device.isInteractive = false;
  const terminal = new Terminal(device);
  terminal.status("one");
  terminal.log(terminal.paint("news", "red"));
  assertEquals(device.written, "news\n");
  assertEquals(await terminal.ask("Name? "), undefined);
  assert(!device.isRaw);
});

Deno.test("Terminal hands keys to its listeners, but not those of an answer", async () => {
  const device = new FakeTerminal();
  const terminal = new Terminal(device);
  const keys: string[] = [];
  terminal.onKey((key) => void keys.push(key));
  const answer = terminal.ask("Name? ");
  device.type("ab\x7fc\r");
  assertEquals(await answer, "ac");
  device.type("\x1b[A\x1b[D.\x1bOC\x1b[3~"); // arrows have names, other long keys mean nothing
  await new Promise((resolve) => setTimeout(resolve, 5));
  device.type("ä");
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(keys, ["up", "left", ".", "right", "ä"]);
  assertEquals(device.written, "Name? ab\b \bc\n");
  terminal.close();
  assert(!device.isRaw);
});

Deno.test("Terminal echoes nothing of a secret, and Ctrl-D gives up", async () => {
  const device = new FakeTerminal();
  const terminal = new Terminal(device);
  const secret = terminal.ask("Password: ", { isSecret: true });
  device.type("x\x7fhunter2\r");
  assertEquals(await secret, "hunter2");
  const none = terminal.ask("Name? ");
  device.type("ab\x04");
  assertEquals(await none, undefined);
  assertEquals(device.everything, "Password: \nName? ab\n");
  terminal.close();
});
