// The package as a vendor gets it: built from this source, and installed into an empty
// project, from a tarball and from the folder, without a network.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test as timeless } from "node:test";
import { fileURLToPath } from "node:url";

const test = (name, run) => timeless(name, { timeout: 120_000 }, run); // npm and tsc are slow
const sdk = dirname(dirname(fileURLToPath(import.meta.url)));
const temp = mkdtempSync(join(tmpdir(), "okviz-license-"));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
after(() => rmSync(temp, { recursive: true, force: true }));

function run(folder, program, ...args) {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
        cwd: folder, encoding: "utf8", timeout: 100_000, shell: program === "npm" && process.platform === "win32",
        env: { ...process.env, npm_config_cache: join(temp, "cache"), npm_config_offline: "true", npm_config_update_notifier: "false" },
    });
    assert.equal(status, 0, `${program} ${args.join(" ")}: ${error ?? stdout + stderr}`);
    return stdout;
}

test("dist is what the source compiles to", () => {
    const fresh = join(temp, "fresh");
    run(sdk, process.execPath, tsc, "--outDir", fresh);
    assert.deepEqual(readdirSync(join(sdk, "dist")).sort(), readdirSync(fresh).sort());
    for (const file of readdirSync(fresh)) {
        assert.equal(readFileSync(join(sdk, "dist", file), "utf8"), readFileSync(join(fresh, file), "utf8"), `${file}: npm run build`);
    }
});

test("the tarball has what a vendor needs and nothing else", () => {
    const [{ filename, files }] = JSON.parse(run(sdk, "npm", "pack", "--json", "--pack-destination", temp));
    assert.equal(filename, "okviz-license-1.0.0.tgz");
    const names = files.map(({ path }) => path).filter((path) => !/^(dist|src)\//.test(path)).sort();
    assert.deepEqual(names, ["CHANGELOG.md", "LICENSE", "README.md", "examples/hybrid.ts", "package.json"]);
    assert.deepEqual(files.map(({ path }) => path).filter((path) => path.startsWith("src/")).sort(), readdirSync(join(sdk, "src")).map((file) => "src/" + file).sort());
    const { dependencies, peerDependencies, optionalDependencies, scripts, version } = JSON.parse(readFileSync(join(sdk, "package.json")));
    assert.match(readFileSync(join(sdk, "CHANGELOG.md"), "utf8"), new RegExp(`^## ${version}$`, "m"), "the changelog tells of this version");
    assert.deepEqual([dependencies, peerDependencies, optionalDependencies], [undefined, undefined, undefined]);
    assert.deepEqual(Object.keys(scripts).filter((name) => /install|prepare/.test(name)), [], "nothing runs at a vendor's");
});

for (const [from, what] of [["the tarball", join(temp, "okviz-license-1.0.0.tgz")], ["the folder", sdk]]) {
    test(`it installs into an empty project from ${from}`, () => {
        const project = mkdtempSync(join(temp, "project-"));
        const write = (file, text) => writeFileSync(join(project, file), text);
        write("package.json", JSON.stringify({ private: true, type: "module" }));
        run(project, "npm", "install", "--no-audit", "--no-fund", what);
        write("visual.ts", `
            import { License, Notice, type Online, type State, type Status } from "okviz-license";
            const storage = { get: (key: string) => Promise.resolve(key), set: (key: string, value: string) => Promise.resolve(key + value) };
            const license = new License({ product: "p", guid: "g", version: "1.0.0", keys: { kid: "x" }, storage, changed: (state: State) => new Notice(document.body, { locale: "it" }).show(state) });
            const status: Status = license.state.status, online: Online = license.state.online;
            void license.check().then(({ code }) => code);
            console.log(status, online);
            // @ts-expect-error: a visual without keys could verify nothing
            new License({ product: "p", guid: "g", version: "1.0.0" });
        `);
        write("tsconfig.json", JSON.stringify({ compilerOptions: { strict: true, target: "es2022", module: "es2022", moduleResolution: "bundler", lib: ["es2022", "dom"], types: [], noEmit: true }, files: ["visual.ts"] }));
        run(project, process.execPath, tsc);
        write("visual.mjs", `
            import { License } from "okviz-license";
            const { status, online } = new License({ product: "p", guid: "g", version: "1.0.0", keys: {} }).state;
            console.log(status, online);
        `);
        assert.equal(run(project, process.execPath, "visual.mjs").trim(), "unlicensed off");
    });
}
