// Package moving reads what another system has of customers and subscriptions, so that
// they go on here (docs/moving-in.md): JSON lines, and the exports of systems that
// many come from, which it turns into such lines.
package moving
