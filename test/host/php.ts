/** A real PHP for tests. */
import { requirePhp } from "../../scripts/php.mjs";
import type { LabPhp } from "../../lab/options.ts";
import { skipBecause } from "../skip.ts";

/** In a hook: skips what follows where this PHP cannot be had. */
export async function needPhp(context: Mocha.Context, version: LabPhp["version"]): Promise<void> {
  await requirePhp(version).catch((error: unknown) => {
    skipBecause(context, (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " "));
  });
}

export async function hasRealPhp(version: LabPhp["version"]): Promise<boolean> {
  return requirePhp(version).then(
    () => true,
    () => false,
  );
}
