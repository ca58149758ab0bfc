// @ts-check
// What the pages that command a subscription share: one command at a time, its
// outcome in words, and another card where one is needed.
import { html } from './lit-html/lit-html.js';
import { money } from './format.js';
import { declined } from './payment.js';
import { leave, pageOf } from './payment-page.js';
import { carryOut, command, unfinished } from './pending-command.js';
import { signIn } from './session.js';
import { t, word } from './words.js';
/** @import { CommandResult, PendingCommand, Problem } from '../types/pages' */

const w = t.account;

/**
 * refusal is a problem in words.
 * @param {Partial<Problem>} problem
 */
export const refusal = ({ code, detail }) => word(w.refusal, code) ?? word(t.refusal, code) ?? detail ?? w.refusal.other;

export class CommandPage {
  busy = false;
  status = ''; // while a command runs
  said = ''; // what came of it
  wrong = '';
  asks = ''; // the command that waits to be confirmed

  /** @param {string} id the subscription's */
  constructor(id) {
    this.id = id;
  }

  // A page defines draw, and what follows after a command: done when it has been
  // carried out, failed when it was not.
  draw() {}
  /** @param {PendingCommand} _c @param {CommandResult} _result @returns {Promise<void>} */
  async done(_c, _result) {}
  /** @param {PendingCommand} _c @param {Partial<Problem>} _problem @returns {Promise<void>} */
  async failed(_c, _problem) {}

  // resume asks again for what was being done when the page was left, and says
  // what became of a card that was given meanwhile.
  resume() {
    const c = unfinished(this.id);
    const why = new URLSearchParams(location.search).get('declined');
    if (c) {
      this.send(c);
    } else if (why) {
      history.replaceState(null, '', location.pathname);
      this.wrong = declined(why);
      this.draw();
    }
  }

  /** @param {string} action @param {object} [body] */
  press(action, body) {
    if (!this.busy) this.send(command(this.id, action, body));
  }

  /** @param {PendingCommand} c */
  async send(c) {
    Object.assign(this, { busy: true, status: w.sending, said: '', wrong: '' });
    this.draw();
    const { ok, status, body } = await carryOut(c, why => {
      this.status = w[why];
      this.draw();
    });
    if (status === 401) {
      signIn();
      return;
    }
    const page = ok && pageOf(body.payment);
    if (page) { // and stays busy until the browser has left
      leave(page);
      return;
    }
    Object.assign(this, { busy: false, status: '' });
    if (ok) {
      this.asks = '';
      this.said = word(w.done, c.action) ?? '';
      if (body.payment?.status === 'succeeded' && body.invoice) this.said += ` ${w.charged(money(body.invoice.amount_due))}`;
      await this.done(c, body);
    } else {
      this.wrong = body.code === 'card_declined' ? declined(body.decline_code) : refusal(body);
      if (body.code === 'card_declined' || body.code === 'no_payment_method') this.asks = 'payment-method';
      await this.failed(c, body);
    }
    this.draw();
    document.getElementById(this.wrong ? 'command-error' : 'command-done')?.focus();
  }

  /**
   * ask opens what confirms a command, and leads there.
   * @param {string} action
   */
  ask(action) {
    Object.assign(this, { asks: action, said: '', wrong: '' });
    this.draw();
    document.getElementById('asking')?.focus();
  }

  /** @param {string} action */
  keep(action) {
    this.asks = '';
    this.draw();
    document.getElementById(action)?.focus();
  }

  outcome() {
    return html`<p id="command-status" role="status">${this.status}</p>
      <p id="command-done" class="done" role="status" tabindex="-1">${this.said}</p>
      <p id="command-error" class="error" role="alert" tabindex="-1">${this.wrong}</p>`;
  }

  // card leads to the page on which another card is given.
  card() {
    return html`<div id="asking" class="asking" role="group" tabindex="-1" aria-labelledby="card-title">
      <h2 id="card-title">${w.newCard}</h2><p>${t.checkout.cardNote}</p>
      <p class="buttons"><button type="button" id="use-card" ?disabled=${this.busy} @click=${() => this.press('payment-method')}>${w.useCard}</button>
        <button type="button" class="second" ?disabled=${this.busy} @click=${() => this.keep('payment-method')}>${w.keep}</button></p></div>`;
  }
}
