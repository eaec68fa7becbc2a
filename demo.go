package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"belfry/worker/outbound"
)

// demoEmail signs in to the demo.
const demoEmail = "demo@belfry.example"

func prepareDemo(p *program, flags *flagSet) action {
	rate := flags.whole("rate", demoRate/60, 1, 6000, "events per minute, a `number` from 1 to 6000")
	days := flags.whole("days", demoDays, 0, demoDays, "the past that is there from the start, a `number` of days from 0 to 30")
	return func(ctx context.Context, c *config) error {
		return p.demo(ctx, c, *rate, time.Duration(*days)*demoDay)
	}
}

// demo serves a sample account until ctx ends. Everything is kept in a folder
// that is removed at the end.
func (p *program) demo(ctx context.Context, c *config, rate int, past time.Duration) (err error) {
	if err := tryListen(c.addr); err != nil { // said now, not after a past was told
		return err
	}
	if err := demoSettings(c); err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, os.RemoveAll(c.dataDir)); err == nil {
			fmt.Fprintln(p.stdout, "\nThe demo has ended, and its data is gone.")
		}
	}()
	log := slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if p.getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	at, trusted, err := startReceivers(ctx)
	if err != nil {
		return err
	}
	c.trusted, c.resolver = trusted, demoNames(at.Addr())
	account, password, err := tellPast(ctx, c, at, past)
	if err != nil {
		return err
	}
	n, err := startNode(ctx, c, log, p.stdout)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "The Belfry demo is at %s\n\n    email     %s\n    password  %s\n\nEvents go on coming; receivers are good and bad, all on this machine. Ctrl-C ends it and throws the data away.\n",
		n.url, demoEmail, password)
	var publishing sync.WaitGroup
	publishing.Go(func() { publishSteadily(ctx, n.store, account, rate, log) })
	err = n.run(ctx)
	stop()
	publishing.Wait()
	return err
}

// demoSettings makes a throw-away installation: nothing of yours is touched.
// Retries follow sooner than they would for a real one, so that they are seen.
func demoSettings(c *config) (err error) {
	if c.targets, err = outbound.Parse("127.0.0.0/8"); err != nil {
		return err
	}
	c.styleguide = true
	c.limits.Retries = []time.Duration{3 * time.Second, 20 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute}
	c.dataDir, err = os.MkdirTemp("", "belfry-demo-")
	return err
}

// demoPassword gives 80 random bits in four groups.
func demoPassword() string {
	text := strings.ToLower(rand.Text())
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:16]
}
