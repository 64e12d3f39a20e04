/**
 * Names of CAs are compared by their text where a plan has no more: it must come to what OpenSSL makes of their bytes.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeDer, encodeOid, encodeSequence } from "../../core/pki/der-write.ts";
import { readTlv } from "../../core/pki/der.ts";
import { canonicalName, renderName } from "../../core/pki/name.ts";
import { comparable, isSameName } from "../../core/pki/same-name.ts";

interface Value {
  readonly type: "2.5.4.3" | "2.5.4.10" | "2.5.4.11";
  readonly encoding: "utf8" | "bmp";
  readonly text: string;
}
type Name = readonly (readonly Value[])[];

const set = 0x31;
const encode = ({ encoding, text }: Value): Buffer =>
  encoding === "utf8"
    ? encodeDer(0x0c, Buffer.from(text, "utf8"))
    : encodeDer(0x1e, Buffer.from(text, "utf16le").swap16());
const bytesOf = (name: Name): Buffer =>
  encodeSequence(
    ...name.map((part) => encodeDer(set, ...part.map((value) => encodeSequence(encodeOid(value.type), encode(value))))),
  );
const read = (name: Name): { readonly text: string; readonly canonical: string } => {
  const bytes = bytesOf(name);
  const tlv = readTlv(bytes, 0, bytes.length);
  return { text: renderName(bytes, tlv), canonical: canonicalName(bytes, tlv) };
};

const text = fc.string({ unit: fc.constantFrom(...'aAbÉé東 \t,+=\\#"\u001f'), maxLength: 6 });
const value: fc.Arbitrary<Value> = fc.record({
  type: fc.constantFrom("2.5.4.3", "2.5.4.10", "2.5.4.11"),
  encoding: fc.constantFrom("utf8", "bmp"),
  text,
});
const name: fc.Arbitrary<Name> = fc.array(fc.array(value, { minLength: 1, maxLength: 2 }), {
  minLength: 1,
  maxLength: 3,
});

/** The same name as somebody else may have typed it. */
const retyped = (original: Name, seed: number): Name =>
  original.map((part, index) =>
    part.map((one) => ({
      ...one,
      encoding: (seed >> index) % 2 === 0 ? one.encoding : "utf8",
      text: (seed >> (index + 3)) % 2 === 0 ? ` ${one.text.replaceAll(" ", "  ").toUpperCase()} ` : one.text,
    })),
  );

describe("two names of CAs", () => {
  it("are one by their text where their bytes are one to OpenSSL", () => {
    let equal = 0;
    fc.assert(
      fc.property(name, name, fc.nat(63), (a, b, seed) => {
        for (const other of [b, retyped(a, seed)]) {
          const [one, two] = [read(a), read(other)];
          if (one.canonical === two.canonical) equal++;
          assert.equal(isSameName(one.text, two.text), one.canonical === two.canonical, `${one.text} | ${two.text}`);
        }
      }),
      { numRuns: 3000 },
    );
    assert.ok(equal > 500, `${equal} pairs were equal`);
  });

  it("are two where only letters beyond ASCII differ in case, as OpenSSL has it", () => {
    assert.equal(isSameName("CN=École", "CN=école"), false);
    assert.equal(comparable("CN=Users  CA,O=Harbour "), "cn=users ca,o=harbour");
  });
});
