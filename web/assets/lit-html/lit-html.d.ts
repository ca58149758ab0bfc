// The types of the module that is kept in assets/lit-html.
export { html, nothing, render, svg } from 'lit-html';
