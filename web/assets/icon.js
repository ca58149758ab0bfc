// @ts-check
// A visual's icon, which decorates its name.
import { html } from './lit-html/lit-html.js';
/** @import { Product } from '../types/pages' */

/** @param {Product | undefined} product @param {number} size in pixels */
export const icon = (product, size) => html`<img src=${product?.icon ?? '/icons/visual.svg'} width=${size} height=${size} alt="">`;
