// Belfry is the webhooks desk of a product: it keeps endpoints, signs every
// event, delivers it, and shows what became of it. One binary, nothing else to
// install.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	for _, words := range unknownVariables(os.Environ()) {
		fmt.Fprintln(os.Stderr, "belfry: "+words)
	}
	os.Exit(run(untilSignal(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program: it does what args ask for until that is done or ctx
// ends, and gives the exit code: 0 done, 1 failed, 2 wrong call. Results go to
// stdout; logs and complaints go to stderr.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	syscall.Umask(0o077) // what it writes is for nobody else to read
	p := &program{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	return p.exitCode(p.dispatch(ctx, args))
}

// sameSignal is how long after a signal another one is taken for the same: some
// senders tell the process and its group.
const sameSignal = time.Second

// untilSignal gives a context that ends at the first SIGINT or SIGTERM. From
// soon after they do what they do by default: a second one ends the process at
// once.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		time.Sleep(sameSignal)
		signal.Stop(signals)
	}()
	return ctx
}
