//go:build race

package processtest

// raced: the programs are built as this test is.
const raced = true
