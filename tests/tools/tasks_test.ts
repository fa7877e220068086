import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

type Task = string | { readonly command: string; readonly description?: string };

Deno.test("deno.json's tasks hold no pipe outside of quotation marks: the shell of tasks would run the rest", () => {
  const tasks: Readonly<Record<string, Task>> = config.tasks;
  for (const [name, task] of Object.entries(tasks)) {
    const command = typeof task === "string" ? task : task.command;
    assertEquals(/(?<!\|)\|(?!\|)/.test(command.replace(/'[^']*'|"[^"]*"/g, "")), false, name);
  }
});

Deno.test("deno.json has the tasks that README.md names", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const named = [...readme.matchAll(/deno(?:@[\d.]+)? task ([a-z]+)/g)].map(([, name]) => name);
  assert(named.length > 5);
  for (const name of named) assert(name in config.tasks, name);
});
