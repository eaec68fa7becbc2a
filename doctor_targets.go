package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"belfry/store"
	"belfry/worker/outbound"
)

const (
	// destinationsMost is how many webhooks are held against -allow-targets, and
	// destinationsTime how long their names are looked up.
	destinationsMost = 10_000
	destinationsTime = 10 * time.Second
	// destinationsNamed is how many are named of those that are refused.
	destinationsNamed = 5
)

// targets lists what may be private, finds entries of accounts that are not
// there, and webhooks that these settings refuse.
func (d *doctor) targets(ctx context.Context) {
	seen := "nothing is listed: webhooks lead to public addresses by https"
	if d.c.allowTargets != "" {
		seen = "private addresses and plain http may be used for " + d.c.allowTargets
	}
	led, refused := d.destinations(ctx)
	d.check("allow-targets", seen+led, errors.Join(d.unknownAccounts(ctx), refused))
}

func (d *doctor) unknownAccounts(ctx context.Context) error {
	if d.store == nil {
		return nil
	}
	accounts, err := d.store.Accounts(ctx)
	if err != nil {
		return nil // said by the checks of the database
	}
	bound := d.c.targets.Accounts()
	slices.Sort(bound)
	var unknown []error
	for _, name := range bound {
		if !slices.ContainsFunc(accounts, func(a store.Account) bool { return a.Name == name }) {
			unknown = append(unknown, fmt.Errorf("there is no account %q, which an entry is bound to", name))
		}
	}
	return errors.Join(unknown...)
}

// destinations holds the active webhooks against the settings. A URL that could
// not have been stored with them is a fault: then the server has others. Where a
// name leads is its owner's doing, and may change; that is only told.
func (d *doctor) destinations(ctx context.Context) (led string, fault error) {
	if d.store == nil {
		return "", nil
	}
	list, err := d.store.Destinations(ctx, destinationsMost)
	if err != nil || len(list) == 0 {
		return "", nil // said by the checks of the database
	}
	refused, elsewhere := d.refused(ctx, list)
	if len(refused) > 0 {
		return "", fmt.Errorf("%s would be refused with these settings: %s. Give doctor the settings of the server, -allow-targets among them; if these are they, list what is missing or change the webhooks",
			amountOf(len(refused), len(list)), named(refused))
	}
	led = fmt.Sprintf("; none of %d active webhooks is refused", len(list))
	if len(elsewhere) > 0 {
		led = fmt.Sprintf("; %s would be refused where their names lead now: %s", amountOf(len(elsewhere), len(list)), named(elsewhere))
	}
	return led + ". The server must have these settings, too", nil
}

// refused are those that the settings refuse by the URL itself, and those that
// they refuse by the address that its name leads to now.
func (d *doctor) refused(ctx context.Context, list []store.Destination) (byURL, byAddress []store.Destination) {
	ctx, cancel := context.WithTimeout(ctx, destinationsTime)
	defer cancel()
	var resolver outbound.Resolver
	if d.c.resolver != nil {
		resolver = d.c.resolver
	}
	checker := outbound.NewChecker(d.c.targets, resolver)
	for _, to := range list {
		if d.c.targets.Admit(to.Account, to.URL) != nil {
			byURL = append(byURL, to)
		} else if _, err := checker.CheckURL(ctx, to.Account, to.URL); err != nil {
			byAddress = append(byAddress, to)
		}
	}
	return byURL, byAddress
}

func amountOf(n, all int) string { return fmt.Sprintf("%d of %d active webhooks", n, all) }

// named are webhooks by id, host and account: the rest of a URL may be a secret.
func named(list []store.Destination) string {
	var names []string
	for _, to := range list[:min(len(list), destinationsNamed)] {
		host := ""
		if u, err := url.Parse(to.URL); err == nil {
			host = u.Scheme + "://" + u.Host
		}
		names = append(names, fmt.Sprintf("%s (%s, account %s)", to.Webhook, host, to.Account))
	}
	if more := len(list) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
