import { inflateRawSync } from "node:zlib";

/** Where each entry of a zip stands in its directory, and where in the file. */
function* directory(zip) {
    let at = zip.readUInt32LE(zip.lastIndexOf("PK\x05\x06", undefined, "latin1") + 16);
    while (zip.toString("latin1", at, at + 4) === "PK\x01\x02") {
        yield [at, zip.readUInt32LE(at + 42)];
        at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    }
}

/** What is in a zip: the files' contents by their names. Entries are stored or deflated. */
export function entries(zip) {
    const found = {};
    for (const [at, local] of directory(zip)) {
        const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
        const content = zip.subarray(data, data + zip.readUInt32LE(at + 20));
        found[zip.toString("utf8", at + 46, at + 46 + zip.readUInt16LE(at + 28))] = zip.readUInt16LE(at + 10) === 0 ? content : inflateRawSync(content);
    }
    return found;
}

/** Puts the first instant that a zip can name in place of the build's. */
export function timeless(zip) {
    for (const [at, local] of directory(zip)) {
        for (const time of [at + 12, local + 10]) {
            zip.writeUInt16LE(0, time);
            zip.writeUInt16LE(0x21, time + 2);
        }
    }
    return zip;
}
