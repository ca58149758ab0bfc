/* global Redoc */
// The search would need a worker of a script that is made in the page.
Redoc.init('/openapi.json', { disableSearch: true, nativeScrollbars: true, hideDownloadButton: true }, document.getElementById('main'));
