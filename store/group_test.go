package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
)

func TestTransactionsThatShareACommitSucceedAndFailEachForItself(t *testing.T) {
	d := openDesk(t, storetest.SQLite(t), store.Limits{})
	w := d.webhook("https://a.example/")
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			switch i % 3 {
			case 0:
				if _, _, err := d.Publish(d.ctx, store.Publication{AccountID: d.account, Events: []store.NewEvent{{Type: "call.ended", Data: []byte(`{}`)}}}); err != nil {
					t.Error(err)
				}
			case 1:
				text := fmt.Sprint(i)
				_, _, err := d.UpdateWebhook(d.ctx, d.account, w.ID, store.WebhookPatch{Description: &text, Version: 99})
				wantCode(t, err, store.CodeConflict)
			case 2:
				gone, cancel := context.WithCancel(d.ctx)
				cancel()
				text := "never"
				if _, _, err := d.UpdateWebhook(gone, d.account, w.ID, store.WebhookPatch{Description: &text}); !errors.Is(err, context.Canceled) {
					t.Errorf("a caller that left got %v", err)
				}
			}
		})
	}
	wg.Wait()
	if n := d.summary(w); n.Total() != 20 {
		t.Errorf("%d deliveries of 20 events", n.Total())
	}
	if got, err := d.Webhook(d.ctx, d.account, w.ID); err != nil || got.Description != w.Description || got.Version != w.Version {
		t.Errorf("the refused changes left %+v (%v)", got, err)
	}
}
