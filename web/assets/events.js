// @ts-check
// Handlers of a form's events: they pass on what was entered.

/** @param {(value: string) => void} act */
export const entered = act => (/** @type {Event} */ event) => act(/** @type {HTMLInputElement | HTMLSelectElement} */ (event.target).value);

/**
 * enteredValid passes on what the browser finds valid.
 * @param {(value: string) => void} act
 */
export const enteredValid = act => (/** @type {Event} */ event) => {
  const { validity, value } = /** @type {HTMLInputElement} */ (event.target);
  if (validity.valid) act(value);
};

/**
 * named passes on the name of the field that an event of the form came from.
 * @param {(name: string) => void} act
 */
export const named = act => (/** @type {Event} */ event) => act(/** @type {HTMLInputElement} */ (event.target).name);

/** @param {(on: boolean) => void} act */
export const ticked = act => (/** @type {Event} */ event) => act(/** @type {HTMLInputElement} */ (event.target).checked);

/** @param {() => void} act */
export const submitted = act => (/** @type {Event} */ event) => {
  event.preventDefault();
  act();
};
