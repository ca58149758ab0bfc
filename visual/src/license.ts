// The licence of the demonstration visuals. A vendor's own visual has a file like this
// one, with its own keys and address.

import powerbi from "powerbi-visuals-api";
import { License, State } from "okviz-license";
import { PRODUCT } from "./product";

/**
 * The vendor's public Ed25519 keys by their RFC 7638 thumbprint: the one that signs now
 * and the one that will after the next rotation. They stay literals so that the engine
 * finds them in the built package.
 */
export const KEYS: Readonly<Record<string, string>> = {
    "MxA4nO0KWLlfkCKzeIiIAuEvZEY8f0LBd5N-HjMx7Jk": "yZtcseDbkboKW-slVQ9kegQdfTa9Iv0GTDDdkjZ_4PE",
    "K-uLQKbGPBdP0UAFYcXF0zk9WMpdktXlp0-NFSD5whE": "VnB9eRFhxhloxLV1zAgOsUBB4wPadWFbGzJ6JGpH43Y",
};

/** Where the development system answers. WebAccess in capabilities.json names it, too. */
export const SERVICE = "http://localhost:8080";

/** The page where the licence can be renewed. */
export function renewal({ license }: State): string {
    return `${SERVICE}/account${license ? "/licenses/" + license : ""}`;
}

export function openLicense(host: powerbi.extensibility.visual.IVisualHost, changed: () => void): License {
    return new License({
        product: PRODUCT.id, guid: PRODUCT.guid, version: PRODUCT.version,
        keys: KEYS, api: SERVICE, env: host.hostEnv, storage: host.storageV2Service, changed,
    });
}
