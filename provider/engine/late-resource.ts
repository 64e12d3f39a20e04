/**
 * A resource that is loaded at its first call. The engine waits for the port at the start, so the code that checks
 * inputs is not loaded before.
 */
import type { Resource } from "./resource.ts";

/**
 * The resource that `load` returns. `load` is called once, at the first call of the resource. Where it fails, every
 * call fails.
 */
export function lateResource(type: string, load: () => Promise<Resource>): Resource {
  let loaded: Promise<Resource> | undefined;
  const resource = (): Promise<Resource> => (loaded ??= load());
  return {
    type,
    check: async (args, context) => (await resource()).check(args, context),
    diff: async (args, context) => (await resource()).diff(args, context),
    create: async (args, context) => (await resource()).create(args, context),
    read: async (args, context) => (await resource()).read(args, context),
    update: async (args, context) => (await resource()).update(args, context),
    delete: async (args, context) => (await resource()).delete(args, context),
    // A resource that was never loaded has no connections.
    close: async () => (await loaded)?.close(),
  };
}
