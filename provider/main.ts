/**
 * The plugin as the engine starts it: `pulumi-resource-clientcert ENGINE_ADDRESS`. The first line of its output is its
 * port.
 */
import { packageSchema } from "./engine/package-schema.ts";
import { serve } from "./engine/grpc-server.ts";
import { lateResource } from "./engine/late-resource.ts";
import type { Resource } from "./engine/resource.ts";
import { version } from "./version.ts";

/**
 * Starts the server and prints its port. With the address of an engine, the process ends with that engine. Without one,
 * a person has started it, and an engine may attach to it.
 */
async function main(engineAddress: string | undefined): Promise<void> {
  const resources = [lateResource("clientcert:apache:ClientAuth", loadClientAuth)];
  const { port } = await serve({ resources, schema: packageSchema, version, engineAddress });
  process.stdout.write(`${port}\n`);
  // SIGINT comes with the second Ctrl-C, and it is also how the engine reports that everything is done. A plugin that
  // does not exit costs the engine five seconds.
  process.on("SIGINT", () => process.exit(0));
  if (engineAddress === undefined) return;
  // The end of standard input means that the engine is gone, even if it was killed. What runs on a host ends or rolls
  // back there by itself.
  process.stdin.resume().on("end", () => process.exit(0));
}

/** Loads the resource, with everything that reaches hosts. This is left until its first call. */
async function loadClientAuth(): Promise<Resource> {
  const [{ clientAuth }, { createHost }, { createPool }] = await Promise.all([
    import("./apache.ts"),
    import("./apache/host.ts"),
    import("./remote/pool.ts"),
  ]);
  return clientAuth(createHost(createPool()));
}

main(process.argv[2]).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
