// @ts-check
// La console in italiano: gli stessi nomi di en.js.

const plural = new Intl.PluralRules('it');
/** @param {string | number} n @param {string} one @param {string} other */
const count = (n, one, other) => `${Number(n).toLocaleString('it')} ${plural.select(Number(n)) === 'one' ? one : other}`;

/** @type {import('../../../types/console').Dictionary} */
const words = {
  title: 'Console',
  nobody: 'operatore',
  role: { read: 'lettura', support: 'assistenza', finance: 'amministrazione', admin: 'amministratore' },
  missing: 'Questa pagina, questo cliente o questo abbonamento non esiste.',
  notAllowed: 'Il tuo ruolo non lo consente.',
  unreachable: 'Il servizio non è raggiungibile in questo momento. Riprova.',
  ended: 'Il tuo accesso è scaduto. Ricarica la pagina.',
  needed: label => `${label}: è necessario.`,
  reason: 'Motivo',
  refusal: {
    forbidden: 'Il tuo ruolo non lo consente.',
    nothing_to_refund: 'Di questa fattura non resta nulla da rimborsare.',
    amount_too_large: 'È più di quanto resta della fattura.',
    already_recorded: 'Questo bonifico è già registrato.',
    other: 'La richiesta è stata rifiutata.',
  },
  status: { incomplete: 'Non ancora pagato', incomplete_expired: 'Mai pagato', trialing: 'Prova', active: 'Attivo', past_due: 'Scaduto e non pagato', canceled: 'Terminato', draft: 'Bozza', open: 'Aperta', paid: 'Pagata', void: 'Annullata' },

  signIn: {
    title: 'Accedi',
    key: 'Chiave dell’operatore',
    keyHint: 'La crea okviz api-keys create --operator NAME --role ROLE.',
    wrongKey: 'Non è la chiave di un operatore, o è scaduta.',
    refused: 'Accesso negato: il tuo account non ha un ruolo qui.',
    byIssuer: 'Si accede con l’account aziendale.',
    toIssuer: 'Accedi',
  },

  search: {
    title: 'Ricerca',
    label: 'Cerca clienti, abbonamenti, licenze e documenti',
    placeholder: 'Cerca  /',
    lead: 'Premi / e scrivi quello che sai.',
    hints: { who: 'una parte di indirizzo e-mail, nome, azienda o dominio', id: 'il numero o l’id di un abbonamento, o l’id di una licenza', number: 'il numero di una fattura o di un preventivo', amount: 'un importo, come 118,80', card: 'le ultime quattro cifre di una carta' },
    found: q => `Ricerca: ${q}`,
    none: 'Non è stato trovato nulla.',
    more: 'C’è dell’altro: cerca con più precisione.',
    kind: { customer: 'Cliente', subscription: 'Abbonamento', license: 'Licenza', invoice: 'Fattura', quote: 'Preventivo' },
  },

  customer: {
    title: 'Cliente',
    subscriptions: 'Abbonamenti', noSubscriptions: 'Non ne paga nessuno.',
    licenses: 'Licenze', noLicenses: 'Non ne riceve nessuna.',
    documents: 'Documenti', noDocuments: 'Ancora nessuno.',
    balance: 'Saldo', noBalance: 'Mai usato.',
    cards: 'Carte', noCards: 'Nessuna è registrata.',
    discount: 'Sconto fisso', discountLead: 'Su tutto quello che questo indirizzo paga, dalla prossima fattura; 0 lo toglie.', percent: 'Percentuale', percentWrong: 'Una percentuale va da 0 a 100.', discountDone: 'Lo sconto è impostato.',
    cause: { moved_in: 'dovuto dal sistema precedente', transfer: 'un bonifico', payment: 'usato per pagare', reserved: 'riservato a un pagamento', released: 'di nuovo libero', credit_note: 'una nota di credito', refund: 'un rimborso che la carta non ha accettato' },
  },

  mails: {
    title: 'E-mail', none: 'Ancora nessuna.', resend: 'Invia di nuovo', resent: 'È di nuovo in viaggio.', again: 'inviata di nuovo',
    to: { billing: 'a chi paga', licensee: 'al licenziatario', operator: 'a voi' },
    status: { waiting: 'in attesa', sent: 'inviata', given_up: 'abbandonata' },
  },

  subscription: {
    title: 'Abbonamento',
    story: 'Storia', money: 'Documenti', noMoney: 'Ancora nessun documento.', facts: 'Dati',
    vat: 'Partita IVA', vatCheck: { verified: 'verificata nel VIES', unverified: 'non verificata: il VIES non ha risposto', taxed: 'non verificata: il VIES non ha risposto, perciò l’IVA è addebitata' }, vatForm: 'controllata solo nella forma', consultation: number => `consultazione ${number}`,
    nextTitle: 'Poi:',
    next: {
      comp: day => `questa licenza gratuita termina il ${day}.`,
      bank: (amount, until) => `il cliente conferma in banca un pagamento di ${amount}${until && `, entro il ${until}`}.`,
      processing: amount => `il gateway sta elaborando un pagamento di ${amount}.`,
      confirm: until => `il cliente conferma l’indirizzo dell’ordine, entro il ${until}.`,
      incomplete: 'il primo pagamento. Senza, l’ordine decade.',
      trialEnds: at => `la prova termina il ${at}, e non si addebita nulla.`,
      trialPays: (at, amount) => `la prova termina il ${at}, con un pagamento di ${amount}.`,
      retry: at => `il pagamento viene ritentato il ${at}.`,
      owed: 'il cliente paga il dovuto, oppure termina.',
      over: day => `niente: è terminato il ${day}.`,
      overAlready: 'niente: è terminato.',
      lapsed: 'niente: l’ordine non è mai stato pagato.',
      ends: at => `termina il ${at}, e non si addebita altro.`,
      invoice: (amount, at) => `una fattura di ${amount}, da pagare entro il ${at}.`,
      charge: (amount, at) => `alla carta si addebitano ${amount} il ${at}.`,
      nothing: 'non c’è nulla in scadenza.',
    },
    open: (number, amount, due) => `Aperta: ${number}, ${amount}${due && `, da pagare entro il ${due}`}.`,
    advice: {
      insufficient_funds: 'Sulla carta non c’era abbastanza denaro. Si ritenta da sé; il cliente può anche pagare ora con un’altra carta.',
      expired_card: 'La carta è scaduta. Manda al cliente un link per un’altra carta.',
      stolen_card: 'La banca non accetterà più questa carta. Manda al cliente un link per un’altra carta.',
      lost_card: 'La banca non accetterà più questa carta. Manda al cliente un link per un’altra carta.',
      authentication_required: 'La banca vuole la conferma del cliente. Il link è nella sua e-mail.',
      other: 'Si ritenta da sé. Se fallisce ancora, manda al cliente un link per un’altra carta.',
    },
    fromBalance: amount => `${amount} dal saldo`,
    noteReason: { refund: '(rimborso)', change: '(cambio di piano)', void: '(annullata)', dispute: '(contestazione)' },
    actor: { customer: 'il cliente', engine: 'il sistema', operator: 'un operatore' },
    license: 'Licenza', licensee: 'Licenziatario', validUntil: 'Valida fino al', sites: 'Siti', usage: 'Uso', period: 'Periodo', card: 'Carta', comp: 'Data perché', clock: 'Orologio di prova', id: 'Id', workflow: 'Workflow',
    used: (people, days) => `${count(people, 'persona', 'persone')} in ${days} giorni`,
    toTemporal: 'Apri nella Temporal UI',
    toCard: amount => `${amount} sulla carta`,
    toBalance: amount => `${amount} sul saldo`,
    toBoth: (card, balance) => `${card} sulla carta, ${balance} sul saldo`,
    action: {
      cancel: 'Disdici', cancelLead: at => `Funziona fino al ${at}, e non si rinnova. Non si rimborsa nulla.`, cancelAtOnce: 'Termina subito, e il dovuto non viene più chiesto.', cancelDone: 'È disdetto.',
      resume: 'Riprendi', resumeLead: 'La disdetta è annullata, e si rinnova come prima.', resumeDone: 'Continua.',
      renew: 'Rinnova o paga ora', renewLead: amount => `Si prelevano ora ${amount} per il prossimo periodo, o per il dovuto, con la carta registrata.`, renewDone: 'È pagato.',
      card: 'Link per un’altra carta', cardLead: 'Crea un link alla pagina del gestore dei pagamenti, da mandare al cliente.', cardDone: 'Manda questo link al cliente:', cardLink: 'Link',
      extend: 'Regala giorni', extendLead: 'La prova, il periodo o la licenza gratuita finisce più tardi. Non si addebita nulla.', extendDone: 'I giorni sono regalati.', days: 'Giorni', daysWrong: 'Giorni: un numero da 1 a 366.',
      cancelNow: 'Termina ora', cancelNowLead: 'Termina subito, e la licenza con esso.', cancelNowDone: 'È terminato.', refundChoice: 'Rimborso',
      refundNone: 'Niente', refundProrated: what => `La parte non usata: ${what}`, refundFull: what => `Tutto il periodo: ${what}`,
      refund: 'Rimborsa', refundLead: 'Si emette una nota di credito, e il denaro torna per la via da cui è venuto. L’abbonamento continua.', refundDone: 'Il rimborso è in viaggio.', invoice: 'Fattura',
      amountOf: currency => `Importo, ${currency}`, amountHint: 'Con l’imposta. Vuoto: tutto quello che resta.', amountWrong: 'L’importo non è un numero come 19,90.',
      markPaid: 'Segna come pagata', markPaidLead: number => `Registra un bonifico per ${number}.`, markPaidDone: 'Il bonifico è registrato.', reference: 'Riferimento della banca', valueDate: 'Data valuta',
      suspend: 'Sospendi', suspendLead: 'La licenza non è valida finché non viene riattivata. L’abbonamento continua e si paga.', suspendDone: 'La licenza è sospesa.',
      reinstate: 'Riattiva', reinstateLead: 'La licenza è di nuovo valida.', reinstateDone: 'La licenza è di nuovo valida.',
      revoke: 'Revoca', revokeLead: 'La licenza non è più valida, e l’abbonamento termina senza rimborso.', revokeDone: 'La licenza è revocata.',
      change: 'Cambia piano', changeLead: 'Gli importi sono quanto si paga adesso. Alla fine del periodo non si paga nulla prima del rinnovo.', changeTo: 'A', changeWhen: 'Quando', changeNow: 'Adesso', changeAtEnd: 'Alla fine del periodo', changeNone: 'Non c’è un altro piano.', changeCosts: (plan, due) => `${plan} · adesso ${due}`, changeDone: 'Il piano è cambiato, o lo sarà.',
      transfer: 'Sposta a un altro cliente', transferLead: 'Da adesso paga l’altro indirizzo, con la sua carta. La licenza resta al suo licenziatario.', transferTo: 'Indirizzo e-mail di chi paga', transferDone: 'Adesso è di un altro cliente.',
      note: 'Nota', noteLead: 'Per gli operatori; i clienti non la vedono.', noteText: 'Testo', noteDone: 'È scritta.',
    },
  },

  comp: {
    title: 'Licenza gratuita', lead: 'Per un partner, la stampa o un ente benefico: senza carta e senza fattura. Finisce da sé.', give: 'Concedi', done: 'La licenza è concessa, e il file è in viaggio.', toIt: 'Mostra',
    what: 'Che cosa', quantity: 'Quantità', name: 'Nome di chi la riceve', email: 'Indirizzo e-mail', sites: 'Siti', sitesHint: 'Solo di siti incorporati, come reports.contoso.example.', until: 'Fino al',
  },

  today: {
    title: 'Oggi', nothing: 'Niente richiede una persona.', unknown: what => `Al momento non si sa: ${what}.`,
    kind: {
      past_due: 'Scaduti e non pagati', gateway_rejected: 'Il gateway rifiuta le nostre richieste', dispute: 'Contestazioni', transfer: 'Bonifici che non tornano', pending_refund: 'Rimborsi non ancora confermati', given_up_mail: 'E-mail abbandonate',
      late_step: 'Passi in ritardo', difference: 'Righe e workflow discordi', statement_line: 'Righe di estratto conto da sistemare', expiring_key: 'Chiavi in scadenza', orphaned_build: 'Build che una rotazione lascerebbe orfane', outdated_build: 'Build che non conoscono chiavi di firma',
    },
    advice: {
      past_due: 'Si ritentano da sé. Aiuta chi scrive.', gateway_rejected: 'Controlla credenziali e impostazioni del gateway.', dispute: 'Rispondi presso il gateway.',
      transfer: 'Il denaro è sul saldo. Chiedi al cliente, o restituiscilo.', pending_refund: 'Il gateway viene ancora interrogato.', given_up_mail: 'Correggi l’indirizzo, e inviale di nuovo dalla pagina del cliente.',
      late_step: 'Guarda il workflow nella Temporal UI.', difference: 'Esegui okviz recover.', statement_line: 'Assegna ognuna a una fattura, o scartala, nella pagina Estratti conto.', expiring_key: 'Creane di nuove in tempo.', orphaned_build: 'Pubblica una build che conosce la prossima chiave, prima di ruotare.', outdated_build: 'Pubblica una build più nuova.',
    },
  },

  figures: {
    title: 'Cifre', from: 'Dal', to: 'Al', currency: 'Valuta', show: 'Mostra', none: 'Niente in questo periodo.', csvOf: report => `${report} in CSV`, chart: currency => `Ricavi ricorrenti al mese, ${currency}`,
    report: { mrr: 'Ricavi ricorrenti', movements: 'Movimenti', cohorts: 'Fedeltà e prove per mese', upcoming: 'Incassi previsti', recovery: 'Pagamenti falliti e recuperati' },
    about: {
      mrr: 'All’inizio, al primo istante di ogni mese e alla fine.', movements: 'Inizio, nuovi, riattivati, espansione, contrazione e abbandono danno la fine.', cohorts: 'Che cosa resta degli abbonamenti comprati in un mese.',
      upcoming: 'Nei prossimi 90 giorni, se nulla cambia.', recovery: 'Rinnovi il cui primo pagamento è fallito.',
    },
    column: {
      at: 'Quando', from: 'Dal', to: 'Al', currency: 'Valuta', product: 'Prodotto (vuoto: tutti)', mrr: 'MRR', arr: 'ARR', subscriptions: 'Abbonamenti', start: 'Inizio', new: 'Nuovi', reactivation: 'Riattivati', expansion: 'Espansione', contraction: 'Contrazione',
      churn: 'Abbandono', end: 'Fine', started: 'Iniziati', ended: 'Finiti', month: 'Mese', age: 'Età', size: 'Quanti', trials: 'Prove', trials_converted: 'Convertite', number: 'Numero', subscription_id: 'Abbonamento', amount: 'Importo', collection: 'Incasso',
      failed_amount: 'Importo fallito', recovered_amount: 'Importo recuperato', lost_amount: 'Importo perso', open_amount: 'Importo aperto', kind: 'Tipo',
      failed: 'Falliti', recovered: 'Recuperati', lost: 'Persi', open: 'Aperti',
    },
  },

  catalogue: {
    migration: 'Prezzi nuovi', migrationLead: 'Gli abbonamenti mantengono il prezzo di vendita finché non vengono portati a quello più recente del loro piano. Vale dal prossimo rinnovo, e i clienti vengono avvisati per e-mail.',
    rehearse: 'Guarda che cosa verrebbe spostato', wouldMove: n => (n ? `${n} abbonamenti verrebbero spostati.` : 'Tutti hanno già il prezzo più recente.'), migrate: n => `Sposta ${n} abbonamenti`, migrated: 'Sono spostati, e i clienti vengono avvisati.',
    title: 'Catalogo',
    prices: n => count(n, 'piano', 'piani'), pricesOf: name => `Prezzi di ${name}`, plan: 'Piano', cycle: 'Ciclo', price: 'Prezzi',
    noVersions: 'Ancora nessun pacchetto.', withdraw: 'Ritira', withdrawOf: (name, version) => `Ritira ${name} ${version}`, withdrawn: day => `ritirata il ${day}`, withdrawnNow: version => `${version} non è più offerta.`,
    kids: n => `Conosce ${count(n, 'chiave di firma', 'chiavi di firma')}:`,
    upload: 'Carica un pacchetto', version: 'Versione', package: 'Pacchetto (.pbiviz)', changelog: 'Novità', publish: 'Pubblica', published: version => `${version} è pubblicata.`,
    coupons: 'Coupon', noCoupons: 'Ancora nessuno.', code: 'Codice', off: 'Sconto', kind: 'Di', invoices: 'Fatture', invoicesHint: '0: tutte', used: 'Usato', until: 'Fino al', all: 'tutte', always: 'senza fine', limit: 'Al massimo per tanti ordini',
    makeCoupon: 'Crea o sostituisci un coupon', saveCoupon: 'Salva', couponSaved: 'Il coupon è salvato.', couponWrong: 'Un coupon ha un codice, e uno sconto in percentuale o in importo.',
  },

  statements: {
    title: 'Estratti conto', lead: 'Carica l’estratto conto della banca in CSV. I bonifici che citano una fattura aperta vengono registrati; caricarlo due volte non cambia nulla.', file: 'Estratto conto (CSV)', upload: 'Carica',
    results: 'Che cosa è stato di ogni riga', line: 'Riga', date: 'Data', amount: 'Importo', result: 'Esito', invoice: 'Fattura',
    became: { paid: 'Pagata', partial: 'Non basta: sul saldo', unused: 'Non serviva: sul saldo', already: 'Già registrato', outgoing: 'Denaro uscito', unmatched: 'Non cita una fattura', doubtful: 'Serve una persona', pending: 'Non si sa ancora: caricalo di nuovo' },
    open: 'Da sistemare', text: 'Testo', why: 'Perché', none: 'Nessuna riga aspetta.', assign: 'Assegna', assignOf: (amount, date) => `Assegna ${amount} del ${date}`, dismiss: 'Scarta', dismissOf: (amount, date) => `Scarta ${amount} del ${date}`,
    number: 'Numero della fattura', dismissLead: 'Non è per nessuna fattura. Il testo della banca viene dimenticato; il motivo resta nel registro.', settled: 'Sistemata.',
  },

  sessions: {
    title: 'Accessi', lead: 'Dove gli operatori hanno fatto l’accesso. Gli amministratori vedono quelli di tutti.', by: { key: 'con una chiave', issuer: 'dal provider di identità' },
    since: (from, until) => `Dal ${from}, fino al ${until}.`, current: 'Questo.', end: 'Termina', endOf: (name, since) => `Termina l’accesso di ${name} dal ${since}`,
  },
};

export default words;
