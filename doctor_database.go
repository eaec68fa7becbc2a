package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"belfry/store"
)

const (
	// maxSkew is how far the clocks of database and machine may be apart: leases
	// and timestamps of signatures bear some seconds.
	maxSkew = 5 * time.Second
	// provedEvents is how many events, the newest, are looked through for
	// orphans; a running server looks through all.
	provedEvents = 100_000
	// countTime is how long deliveries are counted at most.
	countTime = 20 * time.Second
	// answerIn is how long the database may take to answer.
	answerIn = 10 * time.Second
)

// databaseChecks need an open database, dataChecks one of this version.
var (
	databaseChecks = [...]string{"schema", "secret key", "secrets", "durability", "clock", "orphans", "counts", "size"}
	dataChecks     = [...]string{"secret key", "secrets", "orphans", "counts", "size"}
)

func (d *doctor) database(ctx context.Context, folder bool) {
	if folder && !d.c.hasDatabase() {
		d.skip("not there yet; the first start makes it", append([]string{"database"}, databaseChecks[:]...)...)
		return
	}
	call, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	opt := d.c.storeOptions()
	opt.LookOnly = true
	st, err := store.Open(call, opt)
	if err != nil {
		d.check("database", "", err)
		d.skip("not checked: the database can't be opened", databaseChecks[:]...)
		return
	}
	d.store = st
	d.check("database", st.Dialect()+" answers", st.Ping(call))
	safe, err := st.Durability(call)
	d.check("durability", "what is accepted is safe: "+safe, err)
	skew, err := d.clockSkew(call)
	d.check("clock", fmt.Sprintf("%v apart from the database's", skew.Round(time.Millisecond)), err)
	if err := d.store.CheckSchema(call); d.schema(err) {
		d.data(ctx, err)
	}
}

// schema shows two checks that the store made in one go, and says whether more
// can be made.
func (d *doctor) schema(err error) bool {
	if errors.Is(err, store.ErrSchema) {
		d.check("schema", "", err)
		d.skip("not checked: it needs the schema", dataChecks[:]...)
		return false
	}
	d.check("schema", "is this version's", nil)
	if errors.Is(err, store.ErrNoKey) {
		d.skip("the database knows none yet; the first start sees to it", "secret key")
	} else {
		d.check("secret key", "is the one this database was first used with", err)
	}
	return true
}

// data checks what is kept; key is what is wrong with the secret key.
func (d *doctor) data(ctx context.Context, key error) {
	d.secrets(ctx, key)
	d.orphans(ctx)
	d.counts(ctx)
	d.size(ctx)
}

// secrets decrypts them all, where the key is theirs.
func (d *doctor) secrets(ctx context.Context, key error) {
	if key != nil {
		d.skip("not checked: it needs the secret key", "secrets")
		return
	}
	call, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	secrets, err := d.store.CheckSecrets(call)
	d.check("secrets", fmt.Sprintf("%d of %[1]d can be decrypted", secrets), err)
}

// orphans looks for what was accepted and nobody would come for.
func (d *doctor) orphans(ctx context.Context) {
	found, err := d.findOrphans(ctx)
	seen := fmt.Sprintf("0 orphaned: looked at all leases and queues and at the newest events, %d of them", found.Events)
	if err == nil && found.Total() > 0 {
		err = fmt.Errorf("%d orphaned: %d missing, %d under way for no node, %d unknown to their queue; look at %v",
			found.Total(), found.Missing, found.Ownerless, found.Unseen, found.Examples)
	}
	d.check("orphans", seen, err)
}

func (d *doctor) findOrphans(ctx context.Context) (store.Orphans, error) {
	r := d.store.NewReconciler()
	if err := r.Newest(ctx, provedEvents); err != nil {
		return store.Orphans{}, err
	}
	for steps, done := 0, false; !done; steps++ {
		var err error
		if done, err = r.Step(ctx); err != nil {
			return store.Orphans{}, err
		}
		if steps > 2*provedEvents/100 { // more come than can be looked at
			break
		}
	}
	return r.Orphans(ctx)
}

func (d *doctor) counts(ctx context.Context) {
	c, err := d.store.CheckCounts(ctx, countTime)
	seen := fmt.Sprintf("are those of the deliveries, %d in all", c.Rows)
	if c.Queues < c.Of {
		seen = fmt.Sprintf("are right for the %d of %d webhooks that could be counted within %v", c.Queues, c.Of, countTime)
	}
	d.check("counts", seen, err)
}

// size compares the database with its budget. A server keeps within it while
// anything finished is left to remove, but for what comes within seconds.
func (d *doctor) size(ctx context.Context) {
	size, budget, err := d.store.Size(ctx)
	mb := func(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
	seen := mb(size) + " are in use, without a budget (-max-db-size)"
	if budget > 0 {
		seen = mb(size) + " are in use of " + mb(budget)
	}
	seen += "; the files take more: room that was freed stays in them, and the log of writes comes on top"
	if err == nil && budget > 0 && size > budget+budget/10 {
		err = fmt.Errorf("%s of a budget of %s: start the server, which removes what is finished, or raise -max-db-size; with nothing finished left new events are refused", mb(size), mb(budget))
	}
	d.check("size", seen, err)
}

// clockSkew is how far the clocks of database and machine are apart.
func (d *doctor) clockSkew(ctx context.Context) (time.Duration, error) {
	before := d.now()
	there, err := d.store.Now(ctx)
	if err != nil {
		return 0, err
	}
	middle := before.Add(d.now().Sub(before) / 2)
	skew := there.Sub(middle).Abs()
	if skew > maxSkew {
		err = fmt.Errorf("the clocks of the database and of this machine are %v apart; set both by NTP", skew.Round(time.Millisecond))
	}
	return skew, err
}
