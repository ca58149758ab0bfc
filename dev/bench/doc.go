// Package bench measures the product beside what it is built of: each figure is a
// ratio to a bare server, workflow or file that does the same in the same run.
//
//	make bench                 # all rows, in about five minutes
//	make bench ROWS=Purchase   # those whose names match
//
// The product, the bare counterpart and the client are processes of their own. What is
// compared takes turns of a second or two, so that a busy machine slows both alike.
package bench
