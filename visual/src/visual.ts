// The demonstration visual: the measure as one bar for each category, and what its
// licence says on top.

import powerbi from "powerbi-visuals-api";
import { License, Notice } from "okviz-license";
import { openLicense, renewal } from "./license";
import { PRODUCT } from "./product";
import "./../style/visual.less";

import VisualConstructorOptions = powerbi.extensibility.visual.VisualConstructorOptions;
import VisualUpdateOptions = powerbi.extensibility.visual.VisualUpdateOptions;

export class Visual implements powerbi.extensibility.visual.IVisual {
    private readonly root: HTMLElement;
    private readonly chart: HTMLElement;
    private readonly notice: Notice;
    private readonly events: powerbi.extensibility.IVisualEventService;
    private readonly license: License;

    constructor(options?: VisualConstructorOptions) { // the generated plugin types it as optional
        const { element, host } = options!;
        this.events = host.eventService;
        this.root = append(element, "section", "okviz");
        append(this.root, "h1", "title", `${PRODUCT.name} ${PRODUCT.version}`);
        this.chart = append(this.root, "div", "chart");
        this.notice = new Notice(this.root, {
            locale: host.locale,
            renew: (state) => host.launchUrl(renewal(state)), // the sandbox opens no windows: the host does, and asks first
        });
        this.license = openLicense(host, () => this.showLicence());
        this.showLicence();
    }

    public update(options: VisualUpdateOptions): void {
        this.events.renderingStarted(options);
        try {
            this.draw(options.dataViews?.[0]?.categorical);
            this.showLicence(); // it may have ended while the report stood open
            void this.license.check();
            this.events.renderingFinished(options);
        } catch (reason) {
            this.events.renderingFailed(options, String(reason));
        }
    }

    private showLicence(): void {
        const state = this.license.state;
        this.notice.show(state);
        this.root.setAttribute("data-online", state.online);
        this.root.setAttribute("data-licence", state.status);
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
