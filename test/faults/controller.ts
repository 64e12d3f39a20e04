/** A process that applies one transaction and tells its steps, to be killed in the middle. */
import { text } from "node:stream/consumers";
import { createHost } from "../../provider/host/host.ts";
import type { Target, Transaction } from "../../provider/host/model.ts";
import { createPool } from "../../provider/ssh.ts";

interface Order {
  readonly target: Target;
  readonly transaction: Omit<Transaction, "contents"> & { readonly contents: readonly (readonly [string, string])[] };
  readonly program: string;
}

// as: the test beside this file writes it.
const { target, transaction, program } = JSON.parse(await text(process.stdin)) as Order;
const contents = new Map(transaction.contents.map(([name, bytes]) => [name, Buffer.from(bytes, "latin1")]));
const host = createHost(createPool(), () => program);
await host.apply(target, { ...transaction, contents }, { onProgress: (step) => process.stdout.write(`${step}\n`) });
