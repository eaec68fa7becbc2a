//go:build !race

package main

// raced is how many times more the race detector lets things take.
const raced = 1
