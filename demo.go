package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"belfry/store"
	"belfry/worker/outbound"
)

// demoEmail signs in to the demo.
const demoEmail = "demo@belfry.example"

func prepareDemo(p *program, flags *flag.FlagSet) action {
	rate := flags.Int("rate", 5, "events per second, a `number` from 1 to 100")
	return func(ctx context.Context, c *config) error {
		if *rate < 1 || *rate > 100 {
			return &usageError{faults: []string{fmt.Sprintf("-rate: %d is not from 1 to 100", *rate)}}
		}
		return p.demo(ctx, c, *rate)
	}
}

// demo serves a sample account until ctx ends. Everything is kept in a folder
// that is removed at the end.
func (p *program) demo(ctx context.Context, c *config, rate int) (err error) {
	if err := demoSettings(c); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.dataDir)) }()
	log := slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	n, err := startNode(ctx, c, log, p.stdout)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	account, password, err := p.furnish(ctx, n)
	if err != nil {
		return errors.Join(err, n.store.Close())
	}
	fmt.Fprintf(p.stdout, "The Belfry demo is at %s\n\n    email     %s\n    password  %s\n\nEvents flow, receivers are good and bad, all on this machine. Ctrl-C ends it and throws the data away.\n",
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
	c.limits.Retries = []time.Duration{3 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute}
	c.dataDir, err = os.MkdirTemp("", "belfry-demo-")
	return err
}

// furnish makes the sample account: somebody who signs in, receivers, webhooks.
func (p *program) furnish(ctx context.Context, n *node) (store.Account, string, error) {
	account, err := n.store.EnsureDefaultAccount(ctx)
	if err != nil {
		return account, "", err
	}
	password := demoPassword()
	if _, err := n.store.AddUser(ctx, account.ID, demoEmail, store.RoleOwner, password); err != nil {
		return account, "", err
	}
	base, err := startReceivers(ctx)
	if err != nil {
		return account, "", err
	}
	for _, w := range demoWebhooks(base) {
		w.By = demoEmail
		if _, _, _, err := n.store.CreateWebhook(ctx, account.ID, w); err != nil {
			return account, "", fmt.Errorf("add the sample webhook %s: %w", w.Description, err)
		}
	}
	return account, password, nil
}

// demoPassword gives 80 random bits in four groups.
func demoPassword() string {
	text := strings.ToLower(rand.Text())
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:16]
}

// demoWebhooks are the webhooks of the sample account, whose receivers stand
// under base.
func demoWebhooks(base string) []store.NewWebhook {
	return []store.NewWebhook{
		{
			URL: base + "/crm/events", Description: "CRM: every call and conversation", Events: []string{"call.*", "conversation.*"}, Active: true,
			Headers: []store.Header{{Name: "X-Env", Value: "demo-sample-prod"}},
		},
		{URL: base + "/billing/calls", Description: "Billing: finished calls", Events: []string{"call.ended", "call.failed"}, Active: true},
		{URL: base + "/archive/transcripts", Description: "Archive: transcripts and recordings", Events: []string{"call.transcript_ready", "call.recording_ready"}, Active: true},
		{
			URL: base + "/berlin/messages", Description: "Berlin desk: messages and conversations of one agent", AgentID: "support-berlin",
			Events: []string{"message.*", "conversation.*"}, Active: true,
		},
		{
			URL: base + "/chat/alerts", Description: "Team chat: who is there, and webhooks in trouble",
			Events: []string{"agent.status_changed", "webhook.disabled", "webhook.recovered"}, Active: true,
		},
		{URL: closedPort + "/reports/missed", Description: "Reports: the server is down", Events: []string{"call.missed"}, Active: true},
		{URL: base + "/retired/calls", Description: "Old CRM: retired, answers 410", Events: []string{"call.started"}, Active: true},
		{URL: base + "/crm/staging", Description: "CRM staging: paused", Events: []string{"call.*"}},
	}
}
