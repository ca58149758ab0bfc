// The demonstration visual: the measure as one bar for each category, and what its
// licence says on top.

import powerbi from "powerbi-visuals-api";
import { embeddedToken, Status, statusAt, Verified, verify } from "./license";
import { PRODUCT } from "./product";
import "./../style/visual.less";

import VisualConstructorOptions = powerbi.extensibility.visual.VisualConstructorOptions;
import VisualUpdateOptions = powerbi.extensibility.visual.VisualUpdateOptions;

// [kind of sign, its words]; a licensed visual shows none.
const SIGNS: Record<Status, [kind: "none" | "badge" | "banner" | "overlay", words: string]> = {
    licensed: ["none", ""],
    trial: ["badge", "Trial"],
    grace: ["banner", "The licence's renewal is due."],
    expired: ["overlay", "The licence of this visual has ended."],
    unlicensed: ["banner", "This copy of the visual has no licence."],
    invalid: ["overlay", "The licence of this visual is not valid."],
    unverified: ["banner", "The licence could not be checked in this browser."],
};

export class Visual implements powerbi.extensibility.visual.IVisual {
    private readonly root: HTMLElement;
    private readonly chart: HTMLElement;
    private readonly sign: HTMLElement;
    private readonly events: powerbi.extensibility.IVisualEventService;
    private verified: Verified | undefined;

    constructor(options?: VisualConstructorOptions) { // the generated plugin types it as optional
        const { element, host } = options!;
        this.events = host.eventService;
        this.root = append(element, "section", "okviz");
        append(this.root, "h1", "title", `${PRODUCT.name} ${PRODUCT.version}`);
        this.chart = append(this.root, "div", "chart");
        this.sign = append(this.root, "p", "sign");
        void verify(embeddedToken(PRODUCT.guid), PRODUCT.id).then((verified) => {
            this.verified = verified;
            this.showLicence();
        });
    }

    public update(options: VisualUpdateOptions): void {
        this.events.renderingStarted(options);
        try {
            this.draw(options.dataViews?.[0]?.categorical);
            this.showLicence(); // it may have ended while the report stood open
            this.events.renderingFinished(options);
        } catch (reason) {
            this.events.renderingFailed(options, String(reason));
        }
    }

    private showLicence(): void {
        if (!this.verified) {
            return;
        }
        const status = statusAt(this.verified, new Date());
        const [kind, words] = SIGNS[status];
        this.root.setAttribute("data-licence", status);
        this.sign.className = `sign ${kind}`;
        this.sign.textContent = words;
    }

    private draw(data: powerbi.DataViewCategorical | undefined): void {
        const names = data?.categories?.[0]?.values ?? [];
        const values = (data?.values?.[0]?.values ?? []).map((value) => Number(value) || 0);
        const largest = Math.max(...values.map(Math.abs), 1);
        this.chart.replaceChildren();
        values.forEach((value, i) => {
            append(this.chart, "span", "name", String(names[i] ?? ""));
            const bar = append(this.chart, "span", "bar", String(value));
            bar.style.width = `${(100 * Math.abs(value)) / largest}%`;
        });
    }
}

function append(parent: HTMLElement, tag: string, className: string, text = ""): HTMLElement {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    parent.appendChild(element);
    return element;
}
