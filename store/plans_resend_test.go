package store

import (
	"context"

	"github.com/google/uuid"
)

func (g *grown) previewResend(f DeliveryFilter) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := g.PreviewResend(ctx, g.account, f)
		return err
	}
}

// resendSome has a run count a part of what it resends, or go on with it, and
// ends it.
func (g *grown) resendSome(f DeliveryFilter, counted bool) func(context.Context) error {
	return func(ctx context.Context) error {
		run, _, err := g.StartResend(ctx, g.account, NewResend{Filter: f})
		if err != nil {
			return err
		}
		r := g.NewResender()
		for step := 0; step < 2 || counted && run.Resent == 0; step++ {
			if _, err := r.Step(ctx); err != nil {
				return err
			}
			if run, err = g.ResendRun(ctx, g.account, run.ID); err != nil {
				return err
			}
		}
		_, err = g.ChangeResend(ctx, g.account, run.ID, ResendCancelled, "")
		return err
	}
}

// firstRun is the oldest run of the account.
func (g *grown) firstRun(ctx context.Context) (uuid.UUID, error) {
	runs, err := g.ResendRuns(ctx, g.account, 100)
	if err != nil {
		return uuid.Nil, err
	}
	return runs[len(runs)-1].ID, nil
}
