// The pure signature check against RFC 8032 and against Node's own.

import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, randomInt, sign, verify as nodesOwn } from "node:crypto";
import { readFileSync } from "node:fs";
import { test as timeless } from "node:test";

import { verify } from "../dist/ed25519.js";
import { sha512 } from "../dist/sha512.js";

const test = (name, run) => timeless(name, { timeout: 60_000 }, run);
const VECTORS = JSON.parse(readFileSync(new URL("rfc8032.json", import.meta.url))) // section 7.1
    .map(({ name, ...hex }) => ({ name, ...Object.fromEntries(Object.entries(hex).map(([k, v]) => [k, Buffer.from(v, "hex")])) }));
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The public key as Node takes it. */
const wrapped = (key) => createPublicKey({ key: Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]), format: "der", type: "spki" });
const flipped = (bytes, bit) => {
    const copy = Buffer.from(bytes);
    copy[bit >> 3] ^= 1 << (bit & 7);
    return copy;
};
/** The same signature with n times the group's order added to S. */
function stretched(signature, n) {
    const s = BigInt("0x" + Buffer.from(signature.subarray(32)).reverse().toString("hex")) + n * ORDER;
    return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse()]);
}

for (const { name, key, message, signature } of VECTORS) {
    test(`RFC 8032, ${name}`, async (t) => {
        await t.test("is genuine", () => assert.equal(verify(signature, message, key), true));
        await t.test("is not with any bit of the signature flipped", () => {
            for (let bit = 0; bit < 512; bit += name === "TEST 3" ? 1 : 37) {
                assert.equal(verify(flipped(signature, bit), message, key), false, `bit ${bit}`);
            }
        });
        await t.test("is not with any bit of the key flipped", () => {
            for (let bit = 0; bit < 256; bit += name === "TEST 3" ? 1 : 37) {
                assert.equal(verify(signature, message, flipped(key, bit)), false, `bit ${bit}`);
            }
        });
        await t.test("is not with another message", () => {
            assert.equal(verify(signature, Buffer.concat([message, Buffer.of(0)]), key), false);
            for (let bit = 0; bit < 8 * message.length; bit += 1021) {
                assert.equal(verify(signature, flipped(message, bit), key), false, `bit ${bit}`);
            }
        });
        await t.test("is not with an S beyond the group's order", () => {
            for (const n of [1n, 2n, 7n]) {
                assert.equal(verify(stretched(signature, n), message, key), false, `${n} times`);
            }
        });
    });
}

test("what is no signature or no key", async (t) => {
    const { key, message, signature } = VECTORS[2];
    const none = Buffer.alloc(0);
    const off = Buffer.concat([Buffer.of(2), Buffer.alloc(31)]); // no point of the curve has y = 2
    const oddZero = Buffer.concat([Buffer.of(1), Buffer.alloc(30), Buffer.of(0x80)]); // x = 0 has no odd one
    const beyond = Buffer.concat([Buffer.of(0xee), Buffer.alloc(30, 0xff), Buffer.of(0x7f)]); // y = p + 1
    for (const [name, s, k] of [
        ["empty", none, none],
        ["half a signature", signature.subarray(0, 32), key],
        ["a byte short", signature.subarray(0, 63), key],
        ["a byte long", Buffer.concat([signature, Buffer.of(0)]), key],
        ["a short key", signature, key.subarray(0, 31)],
        ["a long key", signature, Buffer.concat([key, Buffer.of(0)])],
        ["a key that is no point", signature, off],
        ["a key of x = −0", signature, oddZero],
        ["a key beyond the field", signature, beyond],
        ["zeros", Buffer.alloc(64), key],
    ]) {
        await t.test(name, () => assert.equal(verify(s, message, k), false));
    }
    await t.test("an R in another form of the same point", () => {
        // With the neutral point as key, R = neutral and S = 0 fit everything; R's y may be written as p + 1.
        const neutral = Buffer.concat([Buffer.of(1), Buffer.alloc(31)]);
        assert.equal(verify(Buffer.concat([neutral, Buffer.alloc(32)]), message, neutral), true);
        assert.equal(verify(Buffer.concat([beyond, Buffer.alloc(32)]), message, neutral), false);
    });
});

test("random signatures are judged as Node judges them", () => {
    for (let n = 0; n < 60; n++) {
        const { privateKey, publicKey } = generateKeyPairSync("ed25519");
        const key = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
        const message = randomBytes(randomInt(0, 700));
        const signature = sign(null, message, privateKey);
        for (const [what, s, m, k] of [
            ["as it was made", signature, message, key],
            ["with a bit of the signature flipped", flipped(signature, randomInt(512)), message, key],
            ["with a bit of the key flipped", signature, message, flipped(key, randomInt(256))],
            ["with the order added to S", stretched(signature, 1n), message, key],
            ["with noise for a signature", randomBytes(64), message, key],
            ["with a longer message", signature, Buffer.concat([message, randomBytes(1)]), key],
        ]) {
            const hex = `${what}: signature ${s.toString("hex")} message ${m.toString("hex")} key ${k.toString("hex")}`;
            assert.equal(verify(s, m, k), nodesOwn(null, m, wrapped(k), s), hex);
            assert.equal(verify(s, m, k), what === "as it was made", hex);
        }
    }
});

test("digests are those of Node", () => {
    for (const length of [0, 1, 110, 111, 112, 113, 127, 128, 129, 239, 240, 1000, ...Array.from({ length: 20 }, () => randomInt(2000))]) {
        const message = randomBytes(length);
        assert.equal(Buffer.from(sha512(message)).toString("hex"), createHash("sha512").update(message).digest("hex"), message.toString("hex"));
    }
});
