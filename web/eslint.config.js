// Few rules, each for a mistake that TypeScript does not see.
import js from '@eslint/js';

export default [
  { ignores: ['assets/lit-html/', 'types/'] }, // as published; generated
  js.configs.recommended, // what is surely a mistake
  { linterOptions: { reportUnusedDisableDirectives: 'error' } }, // an exception that is not needed hides the next mistake
  {
    files: ['**/*.js', '**/*.mjs'],
    rules: {
      'no-undef': 'off', // TypeScript does this, and knows the browser's names
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }], // also what the tests do not use
      'no-restricted-globals': ['error', 'event', 'name', 'status', 'find', 'parent', 'top', 'length', 'close', 'open', 'print', 'stop'], // a missing import would silently be the window's property
      'no-restricted-properties': ['error',
        { property: 'innerHTML', message: 'What is shown must never become markup: use a template.' },
        { property: 'outerHTML', message: 'What is shown must never become markup: use a template.' },
        { property: 'insertAdjacentHTML', message: 'What is shown must never become markup: use a template.' }],
      'no-eval': 'error', // the policy of the pages forbids it, so it fails in the browser only
      'no-implied-eval': 'error', // likewise
      'no-new-func': 'error', // likewise
      'no-warning-comments': ['error', { terms: ['@ts-ignore', '@ts-nocheck'], location: 'anywhere' }], // @ts-expect-error fails once it is no longer needed
      'no-console': ['error', { allow: ['error'] }], // what was for debugging only
      'no-promise-executor-return': 'error', // nobody reads the value
      'array-callback-return': 'error', // a missing return shows nothing
      'no-template-curly-in-string': 'error', // ${…} in plain quotes is shown as it stands
      'no-shadow': ['error', { allow: ['t'] }], // two things of one name
      'eqeqeq': 'error', // == compares what nobody means
      'prefer-const': ['error', { ignoreReadBeforeAssign: true }], // so that let says: this changes
    },
  },
];
