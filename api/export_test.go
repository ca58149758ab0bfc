package api

// Examples are the bodies of the description, for the tests to send.
var Examples = examples
