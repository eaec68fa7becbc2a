package worker

import (
	"fmt"
	"net/http"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
)

func TestClaimsGoRoundOverWebhooksAndAccounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r := receives(t, func(http.ResponseWriter, *http.Request) {})
		other, err := d.store.AddAccount(t.Context(), "other")
		d.must(err)
		for i := range 8 {
			d.webhook(fmt.Sprintf("%s/%d", r.URL, i))
		}
		d.publish(250) // 2000 deliveries of the first account, over eight webhooks
		d.account = other.ID
		late := d.webhook(r.URL + "/late")
		d.publish(50)
		d.work(func(o *Options) { o.Senders = 4 })
		d.expect(late, store.Summary{Delivered: 50})
		if n := len(r.requests()); n > 1000 {
			t.Errorf("50 deliveries of one account waited for %d of another one", n-50)
		}
	})
}
