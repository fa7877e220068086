/**
 * How the property tests run: seeded, short by default, long with `FUZZ_RUNS`. Put "property" into the test's name, so
 * that `deno task fuzz` finds it.
 *
 * @module
 */
import fc from "fast-check";

/** Parameters for `fc.assert`: `runs` unless `FUZZ_RUNS` asks for more; a fixed seed unless it does. */
export function seeded(runs = 200): fc.Parameters<unknown> {
  const asked = Number(Deno.env.get("FUZZ_RUNS") ?? 0);
  if (asked > runs) return { numRuns: asked, seed: Date.now() & 0x7fff_ffff };
  return { numRuns: runs, seed: 20_260 };
}

/** Any datagram of up to `maxLength` octets, its first octet often one of `firsts`. */
export function datagrams(
  options: { readonly firsts: readonly number[]; readonly maxLength?: number },
): fc.Arbitrary<Uint8Array> {
  const bytes = fc.uint8Array({ maxLength: options.maxLength ?? 80, size: "max" });
  const first = fc.constantFrom(...options.firsts);
  return fc.oneof(
    bytes,
    fc.tuple(first, bytes).map(([octet, rest]) => new Uint8Array([octet, ...rest])),
  );
}
