// Breaks the source in one place at a time and runs the tests, which must fail:
//
//     npm run mutants [number…]
//
// It prints each mutant with the first test that notices it, and takes some minutes.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";

const MUTANTS = [
    ["cookies are sent", "license.ts", `credentials: "omit"`, `credentials: "include"`],
    ["REVOKED is not final", "license.ts", `code === "REVOKED" || `, ""],
    ["another licence's lease counts", "license.ts", "token.claims.sub === this.#id && ", ""],
    ["all licences share what is kept", "license.ts", "PLACE + this.#id", "PLACE"],
    ["the file's signature is not checked", "license.ts", "token && genuine(token)", "token"],
    ["a lease's signature is not checked", "license.ts", " && await genuineSoon(token)", ""],
    ["the browser's Ed25519 says yes to all", "token.ts", "return await subtle.verify(", "return true || await subtle.verify("],
    ["a nonce is not compared", "license.ts", " || lease.nonce !== nonce", ""],
    ["every lease corrects the clock", "license.ts", "if (nonce) {", "if (true) {"],
    ["nobody asks again", "license.ts", "this.#seen - lease.iat) > DAY", "this.#seen - lease.iat) > Infinity"],
    ["a correction is forgotten", "license.ts", "+skew! || 0", "0"],
    ["a correction outlives the clock's", "license.ts", "local < this.#correctedAt - DAY ?", "false ?"],
    ["what was seen is forgotten", "license.ts", "+seen! || 0", "0"],
    ["time begins before the file", "license.ts", "this.#seen = token.claims.iat;", ""],
    ["time begins before a lease that was not taken", "license.ts", "this.#see(lease.iat);", ""],
    ["time goes back", "license.ts", "Math.max(this.#seen, instant)", "instant"],
    ["a valid answer needs no lease", "license.ts", `? "outdated" : status`, `? "licensed" : status`],
    ["an unsigned answer lifts a refusal", "license.ts", "valid && !token && this.#answer?.valid === false", "false"],
    ["the file is a lease", "license.ts", ` && token.claims.kind !== "embedded"`, ""],
    ["an unknown licence is refused", "license.ts", `code === "UNKNOWN_LICENSE" && `, "false && "],
    ["a kept refusal holds", "license.ts", "lease ? answer.next : 0", "answer.next"],
    ["an older answer beats a newer file", "license.ts", "answer.at >= signed && ", ""],
    ["the end that an answer tells is not heard", "license.ts", " || now >= (answer?.until ?? Infinity)", ""],
    ["a site licence works in the service", "license.ts", "env & OUTSIDE_SITES || ", ""],
    ["any issuer will do", "token.ts", `claims.iss === "okviz" && `, ""],
    ["any product will do", "token.ts", "claims.aud === product || baseGuid(claims.aud) === baseGuid(guid)", "true"],
    ["any algorithm will do", "token.ts", `header.alg === "EdDSA" && `, ""],
    ["signatures have many forms", "ed25519.ts", " || s >= ORDER", ""],
    ["an id is kept where nobody is counted", "license.ts", `!type || type === "users"`, "true"],
    ["a denied storage is used", "person.ts", "await soon(storage.status?.())", "false"],
    ["an id need not be found again", "person.ts", "kept = await read();", "kept ??= [0, random()];"],
    ["frames do not wait for each other", "person.ts", "Math.abs(Date.now() - +kept[2]) < SETTLING", "false"],
    ["a host that does not answer is waited for", "person.ts", "setTimeout(reject, PATIENCE)", "{}"],
];

const sdk = join(import.meta.dirname, "..");
const temp = mkdtempSync(join(tmpdir(), "okviz-mutants-"));
const wanted = process.argv.slice(2).map(Number);
let survivors = 0;
try {
    cpSync(join(sdk, "package.json"), join(temp, "package.json"));
    for (const folder of ["dist", "test"]) {
        cpSync(join(sdk, folder), join(temp, folder), { recursive: true });
    }
    MUTANTS.forEach(([name, file, from, to], i) => {
        if (wanted.length && !wanted.includes(i + 1)) {
            return;
        }
        const source = readFileSync(join(sdk, "src", file), "utf8"), built = join(temp, "dist", file.replace(".ts", ".js"));
        if (!source.includes(from)) {
            throw new Error(`${name}: ${file} has no ${from}`);
        }
        const whole = readFileSync(built);
        const { outputText } = ts.transpileModule(source.replaceAll(from, to), { compilerOptions: { target: "es2022", module: "es2022" } });
        writeFileSync(built, outputText);
        const { status, signal, stdout } = spawnSync(process.execPath, ["--test", "--test-reporter=tap", "test/license.test.mjs", "test/ed25519.test.mjs"], { cwd: temp, encoding: "utf8", timeout: 120_000 });
        writeFileSync(built, whole);
        const noticed = [...stdout.matchAll(/^( *)not ok \d+ - (.*)$/gm)].sort((a, b) => b[1].length - a[1].length);
        const by = signal ? `the time limit (${signal})` : status === 0 ? "NOTHING" : noticed[0]?.[2];
        survivors += status === 0 ? 1 : 0;
        console.log(`${i + 1} | ${name} | ${by}${noticed.length > 1 ? ` (and ${noticed.length - 1} more)` : ""}`);
    });
} finally {
    rmSync(temp, { recursive: true, force: true });
}
process.exitCode = survivors ? 1 : 0;
