// Belfry is the webhooks desk of a product: it keeps endpoints, signs every
// event, delivers it, and shows what became of it. One binary, nothing else to
// install.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal then ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program: it does what args ask for until that is done or ctx
// ends, and gives the exit code: 0 done, 1 failed, 2 wrong call. Results go to
// stdout; logs and complaints go to stderr.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	return p.exitCode(p.dispatch(ctx, args))
}
