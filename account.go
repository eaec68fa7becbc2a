package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"belfry/store"
)

func prepareAccountAdd(p *program, flags *flagSet) action {
	name := flags.String("name", "", "the account's `name`: small letters, digits, \".\", \"_\" and \"-\"")
	flags.require("name")
	return func(ctx context.Context, c *config) error {
		return p.withStore(ctx, c, func(st *store.Store) error {
			// The first account is the default one, whoever comes first.
			if _, err := st.EnsureDefaultAccount(ctx); err != nil {
				return err
			}
			a, err := st.AddAccount(ctx, *name)
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "added the account %s, %s\n", a.Name, a.ID)
			return nil
		})
	}
}

// accountLimit is one limit that the operator may set for an account alone.
type accountLimit struct {
	name, usage string
	own         func(*store.AccountLimits) **int
	holds       func(store.Limits) int
}

func accountLimits() []accountLimit {
	return []accountLimit{
		{"max-webhooks", "webhooks of the account", func(l *store.AccountLimits) **int { return &l.MaxWebhooks }, func(l store.Limits) int { return l.MaxWebhooks }},
		{"rate-per-minute", "outgoing requests per minute", func(l *store.AccountLimits) **int { return &l.RatePerMinute }, func(l store.Limits) int { return l.RatePerMinute }},
		{"api-rate-per-minute", "API requests per key and minute", func(l *store.AccountLimits) **int { return &l.APIRatePerMinute }, func(l store.Limits) int { return l.APIRatePerMinute }},
		{"tests-per-minute", "test sends per minute", func(l *store.AccountLimits) **int { return &l.TestsPerMinute }, func(l store.Limits) int { return l.TestsPerMinute }},
		{"event-types", "own and discovered event types", func(l *store.AccountLimits) **int { return &l.EventTypes }, func(l store.Limits) int { return l.EventTypes }},
	}
}

func prepareAccountLimit(p *program, flags *flagSet) action {
	name := accountFlag(flags)
	changes := map[string]*int{}
	for _, l := range accountLimits() {
		flags.check(l.name, "", l.usage+": a `number`, or default", func(value string) error {
			if value == "default" {
				changes[l.name] = nil
				return nil
			}
			n, err := strconv.Atoi(value)
			if err != nil {
				return fmt.Errorf("%q is neither a whole number nor the word default", value)
			}
			changes[l.name] = &n
			return nil
		})
	}
	return func(ctx context.Context, c *config) error {
		if err := mustHaveDatabase(c); err != nil {
			return err
		}
		return p.withAccount(ctx, c, *name, func(st *store.Store, a store.Account) error {
			a, err := setLimits(ctx, st, a, changes)
			if err != nil {
				return err
			}
			printLimits(p.stdout, a)
			return nil
		})
	}
}

// setLimits changes the limits named and leaves the account's others alone.
func setLimits(ctx context.Context, st *store.Store, a store.Account, changes map[string]*int) (store.Account, error) {
	if len(changes) == 0 {
		return a, nil
	}
	own := a.Overrides
	for _, l := range accountLimits() {
		if n, changed := changes[l.name]; changed {
			*l.own(&own) = n
		}
	}
	if err := st.SetAccountLimits(ctx, a.ID, own); err != nil {
		return a, err
	}
	return st.Account(ctx, a.ID)
}

func printLimits(w io.Writer, a store.Account) {
	fmt.Fprintf(w, "account %s\n", a.Name)
	for _, l := range accountLimits() {
		whose := "default"
		if *l.own(&a.Overrides) != nil {
			whose = "own"
		}
		fmt.Fprintf(w, "  %-20s %8d  %s\n", l.name, l.holds(a.Limits), whose)
	}
}
