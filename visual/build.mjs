// Builds one package for each product of products.json into dist/, all from the same
// source:
//
//     node build.mjs
//
// With --check it leaves dist/ alone and fails unless its packages hold what the source
// makes. It installs the packaging tool into a temporary folder, which it removes at the end;
// that takes about a minute. The same source gives the same bytes.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { entries, timeless } from "./zip.mjs";

const TOOL = "powerbi-visuals-tools@7.1.0";
const API = "5.11.0";

const here = import.meta.dirname;
const products = JSON.parse(readFileSync(join(here, "products.json"), "utf8"));
const temp = mkdtempSync(join(tmpdir(), "okviz-visual-"));
try {
    npm(here, "ci", "--no-audit", "--no-fund");
    npm(join(here, "sdk"), "run", "build");
    npm(temp, "install", "--global", "--prefix", temp, "--no-audit", "--no-fund", TOOL);
    const tool = join(npm(temp, "root", "--global", "--prefix", temp).trim(), "powerbi-visuals-tools", "bin", "pbiviz.js");

    const built = products.map((product) => [`${product.id}-${product.version}.pbiviz`, build(tool, product)]);
    if (process.argv.includes("--check")) {
        compare(built);
    } else {
        rmSync(join(here, "dist"), { recursive: true, force: true });
        mkdirSync(join(here, "dist"));
        for (const [file, from] of built) {
            writeFileSync(join(here, "dist", file), timeless(readFileSync(from)));
            console.log(file, statSync(from).size, "bytes");
        }
    }
} finally {
    rmSync(temp, { recursive: true, force: true });
}

/** Builds a product's package and returns its path. */
function build(tool, { id, name, guid, version }) {
    const folder = join(temp, id);
    for (const part of ["src", "style", "assets", "capabilities.json", "tsconfig.json"]) {
        cpSync(join(here, part), join(folder, part), { recursive: true });
    }
    symlinkSync(join(here, "node_modules"), join(folder, "node_modules"), "junction");
    write(folder, "src/product.ts", `export const PRODUCT = ${JSON.stringify({ id, name, guid, version })};\n`);
    write(folder, "package.json", JSON.stringify({ name: id, version: `${version}.0` }));
    write(folder, "pbiviz.json", JSON.stringify({
        visual: {
            name: guid.slice(0, -32), // without its random part
            displayName: name,
            guid,
            visualClassName: "Visual",
            version: `${version}.0`, // Power BI wants four parts
            description: `${name}, a demonstration visual of OKVIZ Licensing`,
            supportUrl: "https://okviz.com/support",
            gitHubUrl: "",
        },
        apiVersion: API,
        author: { name: "OKVIZ", email: "support@okviz.com" },
        assets: { icon: "assets/icon.png" },
        style: "style/visual.less",
        capabilities: "capabilities.json",
        stringResources: [],
        version: `${version}.0`,
    }));
    run(folder, process.execPath, [tool, "package", "--no-stats", "--skip-api"], {
        env: { ...process.env, HOME: temp, USERPROFILE: temp }, // it writes a certificate there
    });
    const dist = join(folder, "dist");
    const file = readdirSync(dist).find((entry) => entry.endsWith(".pbiviz"));
    if (!file) {
        throw new Error(`no package was built for ${id}`);
    }
    return join(dist, file);
}

/** Fails unless dist/ holds these packages and no others. How they are compressed depends on Node's zlib, and does not count. */
function compare(built) {
    const committed = readdirSync(join(here, "dist")).sort();
    assert.deepEqual(committed, built.map(([file]) => file).sort(), "visual/dist has other packages: run make visual");
    for (const [file, from] of built) {
        const [fresh, kept] = [from, join(here, "dist", file)].map((path) => entries(readFileSync(path)));
        assert.deepEqual(kept, fresh, `${file} is not what the source makes: run make visual`);
    }
    console.log(`${built.length} packages of visual/dist hold what the source makes`);
}

function write(folder, file, text) {
    writeFileSync(join(folder, file), text);
}

function npm(folder, ...args) {
    return run(folder, "npm", args, { shell: process.platform === "win32" }); // npm is a .cmd there
}

function run(folder, program, args, options) {
    const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: folder, encoding: "utf8", ...options });
    if (error || status !== 0) {
        throw new Error(`${program} ${args[0]} failed\n${error ?? stdout + stderr}`);
    }
    return stdout;
}
