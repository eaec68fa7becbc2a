package store

import (
	"context"

	"belfry/store/uuid"
)

// resendUse is what resending many deliveries asks.
func (g *grown) resendUse() []use {
	return []use{
		{name: "count before a resend", do: g.previewResend(DeliveryFilter{}), by: "deliveries_account_failed (account_id=?)", most: 3 * grownSearch},
		{name: "count of a webhook before a resend", do: g.previewResend(DeliveryFilter{WebhookID: g.webhook, Status: []Status{Dead}}), by: "deliveries_dead (webhook_id=?)", most: 3 * grownSearch},
		{name: "count of nobody before a resend", do: g.previewResend(DeliveryFilter{AgentID: "nobody"}), most: 3 * grownSearch},
		{name: "first part of a run", do: g.resendSome(DeliveryFilter{}, false), by: "deliveries_account_failed (account_id=?)", most: 5 * grownSearch},
		{name: "part of a run that finds nothing", do: g.resendSome(DeliveryFilter{AgentID: "nobody"}, false), most: 5 * grownSearch},
		{name: "next part of a run", do: g.resendSome(DeliveryFilter{}, true), by: "deliveries_account_failed (account_id=? AND id>?)", most: 5 * grownSearch},
		{name: "deliveries of a run", do: func(ctx context.Context) error {
			run, err := g.firstRun(ctx)
			if err == nil {
				_, _, err = g.ResendResults(ctx, g.account, run, OutcomeWaiting, uuid.Nil, 50)
			}
			return err
		}},
		{
			name: "what became of deliveries that made room", do: func(ctx context.Context) error { return g.NewTidier().removeResults(ctx, idAt(g.to)) },
			by: "resend_deliveries_outcome (resend_id=? AND outcome=? AND delivery_id<?)",
		},
	}
}

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
