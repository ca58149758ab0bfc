// @ts-check
// Every sentence of the console, in English. A translation has the same names.
/** @import { Words } from '../../../types/pages' */

const plural = new Intl.PluralRules('en');
/** @param {string | number} n @param {string} one @param {string} other */
const count = (n, one, other) => `${Number(n).toLocaleString('en')} ${plural.select(Number(n)) === 'one' ? one : other}`;

export default /** @satisfies {Words} */ ({
  title: 'Console',
  nobody: 'operator',
  role: { read: 'read', support: 'support', finance: 'finance', admin: 'administrator' },
  missing: 'There is no such page, customer or subscription.',
  notAllowed: 'Your role does not allow this.',
  unreachable: 'The service cannot be reached just now. Try again.',
  ended: 'You are signed in no more. Reload the page.',
  needed: label => `${label}: this is needed.`,
  reason: 'Reason',
  refusal: {
    forbidden: 'Your role does not allow this.',
    nothing_to_refund: 'Nothing is left of this invoice to give back.',
    amount_too_large: 'This is more than what is left of the invoice.',
    already_recorded: 'This transfer has been recorded already.',
    other: 'This was refused.',
  },
  status: { incomplete: 'Not paid yet', incomplete_expired: 'Never paid', trialing: 'Trial', active: 'Active', past_due: 'Past due', canceled: 'Ended', draft: 'Draft', open: 'Open', paid: 'Paid', void: 'Void' },

  signIn: {
    title: 'Sign in',
    key: 'Operator’s key',
    keyHint: 'okviz api-keys create --operator NAME --role ROLE makes one.',
    wrongKey: 'This is no operator’s key, or it has ended.',
    refused: 'You were not signed in: your account has no role here.',
    byIssuer: 'You sign in with your company’s account.',
    toIssuer: 'Sign in',
  },

  search: {
    title: 'Search',
    label: 'Search customers, subscriptions, licences and documents',
    placeholder: 'Search  /',
    lead: 'Press / and type what you know.',
    hints: { who: 'a part of an e-mail address, name, company or domain', id: 'a subscription’s number or id, or a licence’s id', number: 'an invoice’s or a quote’s number', amount: 'an amount, such as 118.80', card: 'the last four digits of a card' },
    found: q => `Search: ${q}`,
    none: 'Nothing was found.',
    more: 'There is more: ask more precisely.',
    kind: { customer: 'Customer', subscription: 'Subscription', license: 'Licence', invoice: 'Invoice', quote: 'Quote' },
  },

  customer: {
    title: 'Customer',
    subscriptions: 'Subscriptions', noSubscriptions: 'Pays for none.',
    licenses: 'Licences', noLicenses: 'Receives none.',
    documents: 'Documents', noDocuments: 'None yet.',
    balance: 'Balance', noBalance: 'Never used.',
    cards: 'Cards', noCards: 'None is stored.',
    discount: 'Standing discount', discountLead: 'On everything that this address pays, from the next invoice on; 0 takes it away.', percent: 'Percent', percentWrong: 'A percentage is from 0 to 100.', discountDone: 'The discount is set.',
    cause: { moved_in: 'owed by the former system', transfer: 'a transfer', payment: 'paid with it', reserved: 'held for a payment', released: 'released again', credit_note: 'a credit note', refund: 'a refund that a card did not take' },
  },

  mails: {
    title: 'Mails', none: 'None yet.', resend: 'Send again', resent: 'It is on its way again.', again: 'sent again',
    to: { billing: 'to the billing contact', licensee: 'to the licensee', operator: 'to you' },
    status: { waiting: 'waiting', sent: 'sent', given_up: 'given up' },
  },

  subscription: {
    title: 'Subscription',
    story: 'Story', money: 'Documents', noMoney: 'No document yet.', facts: 'Facts',
    vat: 'VAT number', vatCheck: { verified: 'checked in VIES', unverified: 'not checked: VIES did not answer', taxed: 'not checked: VIES did not answer, so VAT is charged' }, vatForm: 'held to its form alone', consultation: number => `consultation ${number}`,
    nextTitle: 'Next:',
    next: {
      comp: day => `this free licence ends on ${day}.`,
      bank: (amount, until) => `the customer confirms a payment of ${amount} at the bank${until && `, until ${until}`}.`,
      processing: amount => `the gateway is working on a payment of ${amount}.`,
      confirm: until => `the customer confirms the address of the order, until ${until}.`,
      incomplete: 'the first payment. Without one the order lapses.',
      trialEnds: at => `the trial ends on ${at}, and nothing is charged.`,
      trialPays: (at, amount) => `the trial ends on ${at}, with a payment of ${amount}.`,
      retry: at => `the payment is tried again on ${at}.`,
      owed: 'the customer pays what is owed, or it ends.',
      over: day => `nothing: it ended on ${day}.`,
      overAlready: 'nothing: it has ended.',
      lapsed: 'nothing: the order was never paid.',
      ends: at => `it ends on ${at}, and nothing more is charged.`,
      invoice: (amount, at) => `an invoice over ${amount}, to be paid by ${at}.`,
      charge: (amount, at) => `the card is charged ${amount} on ${at}.`,
      nothing: 'nothing is due.',
    },
    open: (number, amount, due) => `Open: ${number}, ${amount}${due && `, to be paid by ${due}`}.`,
    advice: {
      insufficient_funds: 'The card had too little money. It is tried again by itself; the customer can also pay now with another card.',
      expired_card: 'The card has expired. Send the customer a link for another card.',
      stolen_card: 'The bank will not take this card again. Send the customer a link for another card.',
      lost_card: 'The bank will not take this card again. Send the customer a link for another card.',
      authentication_required: 'The bank wants the customer to confirm. The mail that they have has the link.',
      other: 'It is tried again by itself. If it fails again, send the customer a link for another card.',
    },
    fromBalance: amount => `${amount} from the balance`,
    noteReason: { refund: '(refund)', change: '(change of plan)', void: '(void)', dispute: '(dispute)' },
    actor: { customer: 'the customer', engine: 'the engine', operator: 'an operator' },
    license: 'Licence', licensee: 'Licensee', validUntil: 'Valid until', sites: 'Sites', usage: 'Use', period: 'Period', card: 'Card', comp: 'Given because', clock: 'Test clock', id: 'Id', workflow: 'Workflow',
    used: (people, days) => `${count(people, 'person', 'people')} in ${days} days`,
    toTemporal: 'Open in the Temporal UI',
    toCard: amount => `${amount} to the card`,
    toBalance: amount => `${amount} to the balance`,
    toBoth: (card, balance) => `${card} to the card, ${balance} to the balance`,
    action: {
      cancel: 'Cancel', cancelLead: at => `It works until ${at}, and is not renewed. Nothing is given back.`, cancelAtOnce: 'It ends at once, and what is owed is no longer asked for.', cancelDone: 'It is cancelled.',
      resume: 'Resume', resumeLead: 'The cancellation is taken back, and it is renewed as before.', resumeDone: 'It goes on.',
      renew: 'Renew or pay now', renewLead: amount => `${amount} is taken now for the next period, or for what is owed, with the card on file.`, renewDone: 'It is paid.',
      card: 'Link for another card', cardLead: 'Makes a link to the payment provider’s page, to be sent to the customer.', cardDone: 'Send this link to the customer:', cardLink: 'Link',
      extend: 'Give days', extendLead: 'The trial, the period or the free licence ends later. Nothing is charged for it.', extendDone: 'The days are given.', days: 'Days', daysWrong: 'Days: a number from 1 to 366.',
      cancelNow: 'End now', cancelNowLead: 'It ends at once, and the licence with it.', cancelNowDone: 'It has ended.', refundChoice: 'Give back',
      refundNone: 'Nothing', refundProrated: what => `What is unused: ${what}`, refundFull: what => `All of the period: ${what}`,
      refund: 'Refund', refundLead: 'A credit note is made, and the money goes back the way it came. The subscription goes on.', refundDone: 'The refund is on its way.', invoice: 'Invoice',
      amountOf: currency => `Amount, ${currency}`, amountHint: 'With tax. Empty: all that is left.', amountWrong: 'The amount is no number such as 19.90.',
      markPaid: 'Mark as paid', markPaidLead: number => `Records a bank transfer for ${number}.`, markPaidDone: 'The transfer is recorded.', reference: 'The bank’s reference', valueDate: 'Value date',
      suspend: 'Suspend', suspendLead: 'The licence is not valid until it is reinstated. The subscription goes on and is charged.', suspendDone: 'The licence is suspended.',
      reinstate: 'Reinstate', reinstateLead: 'The licence is valid again.', reinstateDone: 'The licence is valid again.',
      revoke: 'Revoke', revokeLead: 'The licence is not valid any more, and the subscription ends without a refund.', revokeDone: 'The licence is revoked.',
      change: 'Change plan', changeLead: 'The amounts are what is charged now. At the end of the period nothing is charged before the renewal.', changeTo: 'To', changeWhen: 'When', changeNow: 'Now', changeAtEnd: 'At the end of the period', changeNone: 'There is no other plan.', changeCosts: (plan, due) => `${plan} · now ${due}`, changeDone: 'The plan is changed, or will be.',
      transfer: 'Move to another customer', transferLead: 'The other address pays from now on, with its own card. The licence stays with its licensee.', transferTo: 'E-mail address of who pays', transferDone: 'It is another customer’s now.',
      note: 'Note', noteLead: 'For operators; customers do not see it.', noteText: 'Text', noteDone: 'It is written down.',
    },
  },

  comp: {
    title: 'Free licence', lead: 'For a partner, the press or a charity: no card and no invoice. It ends by itself.', give: 'Give it', done: 'The licence is given, and its file is on its way.', toIt: 'See it',
    what: 'What', quantity: 'Quantity', name: 'Name of who receives it', email: 'Their e-mail address', sites: 'Sites', sitesHint: 'Of an embedded site only, such as reports.contoso.example.', until: 'Until',
  },

  today: {
    title: 'Today', nothing: 'Nothing needs a person.', unknown: what => `Could not be found out just now: ${what}.`,
    kind: {
      past_due: 'Past due', gateway_rejected: 'The gateway rejects our calls', dispute: 'Disputes', transfer: 'Transfers that did not fit', pending_refund: 'Refunds not confirmed yet', given_up_mail: 'Mails given up',
      late_step: 'Late steps', difference: 'Rows and workflows disagree', statement_line: 'Statement lines to settle', expiring_key: 'Keys that expire', orphaned_build: 'Builds that a rotation would orphan', outdated_build: 'Builds that know no signing key',
    },
    advice: {
      past_due: 'They are tried again by themselves. Help those who write.', gateway_rejected: 'Look at the gateway’s credentials and settings.', dispute: 'Answer them at the gateway.',
      transfer: 'The money is on the balance. Ask the customer, or give it back.', pending_refund: 'The gateway is still asked.', given_up_mail: 'Correct the address, and send them again from the customer’s page.',
      late_step: 'Look at the workflow in the Temporal UI.', difference: 'Run okviz recover.', statement_line: 'Assign each to an invoice, or dismiss it, on the page Statements.', expiring_key: 'Make new ones in time.', orphaned_build: 'Publish a build that knows the next key before you rotate.', outdated_build: 'Publish a newer build.',
    },
  },

  figures: {
    title: 'Figures', from: 'From', to: 'To', currency: 'Currency', show: 'Show', none: 'Nothing in this time.', csvOf: report => `${report} as CSV`, chart: currency => `Monthly recurring revenue, ${currency}`,
    report: { mrr: 'Recurring revenue', movements: 'Movements', cohorts: 'Retention and trials by month', upcoming: 'Expected payments', recovery: 'Failed payments and what was recovered' },
    about: {
      mrr: 'At the start, at each month’s first instant and at the end.', movements: 'Start, new, reactivation, expansion, contraction and churn add up to the end.', cohorts: 'What is left of the subscriptions first bought in a month.',
      upcoming: 'In the next 90 days, if nothing changes.', recovery: 'Renewals whose first payment failed.',
    },
    column: {
      at: 'At', from: 'From', to: 'To', currency: 'Currency', product: 'Product (empty: all)', mrr: 'MRR', arr: 'ARR', subscriptions: 'Subscriptions', start: 'Start', new: 'New', reactivation: 'Reactivation', expansion: 'Expansion', contraction: 'Contraction',
      churn: 'Churn', end: 'End', started: 'Started', ended: 'Ended', month: 'Month', age: 'Age', size: 'Size', trials: 'Trials', trials_converted: 'Converted', number: 'Number', subscription_id: 'Subscription', amount: 'Amount', collection: 'Collection',
      failed_amount: 'Amount failed', recovered_amount: 'Amount recovered', lost_amount: 'Amount lost', open_amount: 'Amount open', kind: 'Kind',
      failed: 'Failed', recovered: 'Recovered', lost: 'Lost', open: 'Open',
    },
  },

  catalogue: {
    migration: 'New prices', migrationLead: 'Subscriptions keep the price that they were sold at, until they are moved to the newest one of their plan. It counts from the next renewal on, and customers are told by mail.',
    rehearse: 'See what would be moved', wouldMove: n => (n ? `${n} subscriptions would be moved.` : 'All have the newest price already.'), migrate: n => `Move ${n} subscriptions`, migrated: 'They are moved, and their customers are told.',
    title: 'Catalogue',
    prices: n => count(n, 'plan', 'plans'), pricesOf: name => `Prices of ${name}`, plan: 'Plan', cycle: 'Cycle', price: 'Prices',
    noVersions: 'No package yet.', withdraw: 'Withdraw', withdrawOf: (name, version) => `Withdraw ${name} ${version}`, withdrawn: day => `withdrawn on ${day}`, withdrawnNow: version => `${version} is no longer offered.`,
    kids: n => `Knows ${count(n, 'signing key', 'signing keys')}:`,
    upload: 'Upload a package', version: 'Version', package: 'Package (.pbiviz)', changelog: 'What is new', publish: 'Publish', published: version => `${version} is published.`,
    coupons: 'Coupons', noCoupons: 'None yet.', code: 'Code', off: 'Takes off', kind: 'Of', invoices: 'Invoices', invoicesHint: '0: all', used: 'Used', until: 'Until', all: 'all', always: 'no end', limit: 'At most so many orders',
    makeCoupon: 'Make or replace a coupon', saveCoupon: 'Save', couponSaved: 'The coupon is saved.', couponWrong: 'A coupon has a code, and takes off a percentage or an amount.',
  },

  statements: {
    title: 'Statements', lead: 'Upload the bank’s statement as CSV. Transfers that name an open invoice are recorded; sending it twice changes nothing.', file: 'Statement (CSV)', upload: 'Upload',
    results: 'What became of each line', line: 'Line', date: 'Date', amount: 'Amount', result: 'Result', invoice: 'Invoice',
    became: { paid: 'Paid', partial: 'Not enough: on the balance', unused: 'Not needed: on the balance', already: 'Recorded before', outgoing: 'Money that left', unmatched: 'Names no invoice', doubtful: 'A person must look', pending: 'Not known yet: upload it again' },
    open: 'To be settled', text: 'Text', why: 'Why', none: 'No line waits for anybody.', assign: 'Assign', assignOf: (amount, date) => `Assign ${amount} of ${date}`, dismiss: 'Dismiss', dismissOf: (amount, date) => `Dismiss ${amount} of ${date}`,
    number: 'Invoice number', dismissLead: 'It is for no invoice. The bank’s text is forgotten; the reason stays in the audit log.', settled: 'Settled.',
  },

  sessions: {
    title: 'Sessions', lead: 'Where operators have signed in. Administrators see everybody’s.', by: { key: 'with a key', issuer: 'at the identity provider' },
    since: (from, until) => `Since ${from}, until ${until}.`, current: 'This one.', end: 'End', endOf: (name, since) => `End the session of ${name} since ${since}`,
  },
});
