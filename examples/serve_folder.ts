/**
 * Serves a folder of movies until Ctrl-C: `serve_folder.ts FOLDER [PORT]`.
 *
 * @module
 */
import { RtspServer } from "@deno-rtsp/deno-rtsp";

const [media = "media", port = "8554"] = Deno.args;
await using server = await RtspServer.start({ media, port: Number(port), hostname: "127.0.0.1" });
console.log(`Serving ${media} at ${server.url("")}`);
await new Promise<void>((resolve) => Deno.addSignalListener("SIGINT", resolve));
