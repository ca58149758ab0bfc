import { inflateRawSync } from "node:zlib";

/** What is in a zip: the files' contents by their names. Entries are stored or deflated. */
export function entries(zip) {
    const found = {};
    let at = zip.readUInt32LE(zip.lastIndexOf("PK\x05\x06", undefined, "latin1") + 16);
    for (; zip.toString("latin1", at, at + 4) === "PK\x01\x02";) { // the directory
        const [nameSize, extraSize, commentSize] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field));
        const local = zip.readUInt32LE(at + 42);
        const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
        const content = zip.subarray(data, data + zip.readUInt32LE(at + 20));
        found[zip.toString("utf8", at + 46, at + 46 + nameSize)] = zip.readUInt16LE(at + 10) === 0 ? content : inflateRawSync(content);
        at += 46 + nameSize + extraSize + commentSize;
    }
    return found;
}
