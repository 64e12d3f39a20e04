/** A process that applies one transaction and tells its steps, to be killed in the middle. */
import { text } from "node:stream/consumers";
import { createHost } from "../../provider/apache/host.ts";
import type { Target } from "../../core/site/target.ts";
import type { Transaction } from "../../provider/apache/host-model.ts";
import { createPool } from "../../provider/remote/pool.ts";

/** Name and bytes, as latin1. */
type Files = readonly (readonly [string, string])[];

interface Order {
  readonly target: Target;
  readonly transaction: Omit<Transaction, "contents" | "probes"> & Record<"contents" | "probes", Files>;
  readonly program: string;
}

// as: the test beside this file writes it.
const { target, transaction, program } = JSON.parse(await text(process.stdin)) as Order;
const read = (files: Files) => new Map(files.map(([name, bytes]) => [name, Buffer.from(bytes, "latin1")]));
const { contents, probes } = transaction;
const host = createHost(createPool(), () => program);
await host.apply(
  target,
  { ...transaction, contents: read(contents), probes: read(probes) },
  { onProgress: (step) => process.stdout.write(`${step}\n`) },
);
