// A visual that AppSource sells and that is sold directly, too. One build has one guid,
// so this one comes from AppSource, and a customer who has bought directly types in the licence.
//
// The order matters. A customer with a working licence of this service must not see
// Microsoft's "get a licence" notice, and one who has bought on AppSource must not see
// ours. So this service is asked first, Microsoft only where its answer is no, and
// nothing is shown before both have answered.

import powerbi from "powerbi-visuals-api";
import { License, Notice, type Options, type State } from "okviz-license";

/** The plan's id as Partner Center shows it. */
const SERVICE_PLAN = "contoso.calendar-pro.premium";

/** Whether the visual may work, and what it shows of that. */
export class HybridLicense {
    private readonly license: License;
    private readonly notice: Notice;
    private microsoft: "unasked" | "asked" | "paid" | "none" | "unsupported" | "silent" = "unasked";
    private notified = false;

    /** `typed` is what the user has typed into the format pane, and empty at first. */
    constructor(private readonly host: powerbi.extensibility.visual.IVisualHost, element: HTMLElement, options: Options, typed: { license?: string; licensee?: string }) {
        this.notice = new Notice(element, { locale: host.locale });
        this.license = new License({
            ...options, env: host.hostEnv, storage: host.storageV2Service,
            license: typed.license || undefined, licensee: typed.licensee || undefined,
            changed: () => void this.decide(),
        });
    }

    /** May the visual work? As long as nobody has said no it may. */
    get works(): boolean {
        return this.license.state.works || this.microsoft !== "none" && this.microsoft !== "unsupported";
    }

    /** Call it in every update(). */
    async update(): Promise<void> {
        await this.license.check();
        await this.decide();
    }

    private async decide(): Promise<void> {
        const state = this.license.state;
        if (!state.works && state.online !== "pending" && this.microsoft === "unasked") { // the first answer is no
            this.microsoft = "asked";
            this.microsoft = await this.askMicrosoft();
        }
        await this.show(this.license.state); // it may have answered meanwhile
    }

    private async askMicrosoft(): Promise<"paid" | "none" | "unsupported" | "silent"> {
        try {
            const { plans, isLicenseInfoAvailable, isLicenseUnsupportedEnv } = await this.host.licenseManager.getAvailableServicePlans();
            if (isLicenseUnsupportedEnv) {
                return "unsupported";
            }
            // In Microsoft's days of grace, which are "Warning", the visual works on.
            return !isLicenseInfoAvailable ? "silent" : plans?.some(({ spIdentifier, state }) => spIdentifier === SERVICE_PLAN &&
                (state === powerbi.ServicePlanState.Active || state === powerbi.ServicePlanState.Warning)) ? "paid" : "none";
        } catch {
            return "silent";
        }
    }

    private async show(state: State): Promise<void> {
        const { licenseManager } = this.host;
        const bought = state.status !== "unlicensed"; // here, if not for now or for this place: we say why
        const notifies = !this.works && !bought;
        if (this.works || bought) {
            this.notice.show(state.works || !this.works ? state : { ...state, status: "licensed", works: true });
        }
        if (notifies !== this.notified) {
            this.notified = notifies;
            await (notifies // Microsoft's own notice leads to AppSource
                ? licenseManager.notifyLicenseRequired(this.microsoft === "unsupported" ? powerbi.LicenseNotificationType.UnsupportedEnv : powerbi.LicenseNotificationType.VisualIsBlocked)
                : licenseManager.clearLicenseNotification());
        }
    }
}
