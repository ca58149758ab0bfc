// Which product a build is. build.mjs writes this file anew for each package.
export const PRODUCT = { id: "calendar-pro", name: "Calendar Pro", guid: "calendarPro", version: "0.0.0" };
