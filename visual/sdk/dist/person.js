// An id for the person who looks: made up, and used only where it can be kept, since one
// that cannot would count the same person at every opening.
const KEY = "okviz.user";
const PATIENCE = 2000, SETTLING = 1000; // milliseconds
/** Rejects where a host does not answer. */
export function soon(answer) {
    return Promise.race([answer, new Promise((_, reject) => setTimeout(reject, PATIENCE))]);
}
/** 128 random bits, as four numbers: "2147483648-7-…". */
export function random() {
    return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
/**
 * The id that is kept, or one that is made and then found to be kept; undefined where
 * storage does not work. Of frames that start together the last to write wins: while an
 * id is younger than {@link SETTLING} it is read once more.
 */
export async function person(storage) {
    const read = async () => /^(\d[\d-]{15,50})@(\d+)$/.exec(String(await soon(storage.get(KEY))));
    try {
        if (await soon(storage.status?.())) { // 0 is PrivilegeStatus.Allowed
            return;
        }
        let kept = await read().catch(() => null); // Power BI rejects where nothing is kept
        if (!kept) {
            await soon(storage.set(KEY, random() + "@" + Date.now()));
        }
        if (!kept || Math.abs(Date.now() - +kept[2]) < SETTLING) {
            await new Promise((done) => setTimeout(done, SETTLING));
            kept = await read();
        }
        return kept?.[1];
    }
    catch {
        return;
    }
}
