// What the pages that command a subscription share: one command at a time, its
// outcome in words, and another card where one is needed.
import { html } from './lit-html/lit-html.js';
import { carryOut, command, leave, pageOf, unfinished } from './command.js';
import { money } from './format.js';
import { signIn } from './session.js';
import { t } from './words.js';

const w = t.account;

// refusal is a problem in words.
export const refusal = ({ code, detail }) => w.refusal[code] ?? t.refusal[code] ?? detail ?? w.refusal.other;

export class Commanding {
  busy = false;
  status = ''; // while a command runs
  said = ''; // what came of it
  wrong = '';
  asking = ''; // the command that waits to be confirmed

  // done hears of a command that has been carried out, failed of one that was
  // not; draw draws the page.
  constructor(id) {
    this.id = id;
  }

  // resume asks again for what was being done when the page was left, and says
  // what became of a card that was given meanwhile.
  resume() {
    const c = unfinished(this.id);
    const declined = new URLSearchParams(location.search).get('declined');
    if (c) {
      this.send(c);
    } else if (declined) {
      history.replaceState(null, '', location.pathname);
      this.wrong = t.checkout.declined(t.decline[declined] ?? t.decline.generic_decline);
      this.draw();
    }
  }

  press(verb, body) {
    if (!this.busy) this.send(command(this.id, verb, body));
  }

  async send(c) {
    Object.assign(this, { busy: true, status: w.sending, said: '', wrong: '' });
    this.draw();
    const { status, body } = await carryOut(c, why => {
      this.status = w[why];
      this.draw();
    });
    if (status === 401) {
      signIn();
      return;
    }
    if (status < 300 && pageOf(body.payment)) { // and stays busy until the browser has left
      leave(pageOf(body.payment));
      return;
    }
    Object.assign(this, { busy: false, status: '' });
    if (status < 300) {
      this.asking = '';
      this.said = body.payment?.status === 'succeeded' && body.invoice ? `${w.done[c.verb]} ${w.charged(money(body.invoice.amount_due))}` : w.done[c.verb];
      await this.done(c, body);
    } else {
      this.wrong = body.code === 'card_declined' ? t.checkout.declined(t.decline[body.decline_code] ?? t.decline.generic_decline)
        : refusal(body);
      if (['card_declined', 'no_payment_method'].includes(body.code)) this.asking = 'payment-method';
      await this.failed(c, body);
    }
    this.draw();
    document.getElementById(this.wrong ? 'command-error' : 'command-done')?.focus();
  }

  // ask opens what confirms a command, and leads there.
  ask(verb) {
    Object.assign(this, { asking: verb, said: '', wrong: '' });
    this.draw();
    document.getElementById('asking')?.focus();
  }

  keep(verb) {
    this.asking = '';
    this.draw();
    document.getElementById(verb)?.focus();
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
