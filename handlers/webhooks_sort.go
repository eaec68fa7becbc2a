package handlers

import (
	"cmp"
	"slices"
	"strings"

	"belfry/store"
	"belfry/views"
)

// sortWebhooks brings rows into an order, one of views.WebhookSorts. What has
// no value in that column stands last both ways; among equals trouble is first.
func sortWebhooks(rows []store.Overview, sort string) {
	column, down := strings.CutPrefix(sort, "-")
	slices.SortStableFunc(rows, func(a, b store.Overview) int {
		return cmp.Or(compareWebhooks(&a, &b, column, down), cmp.Compare(rank(&a), rank(&b)))
	})
}

func compareWebhooks(a, b *store.Overview, column string, down bool) int {
	switch column {
	case "health":
		return known(rank(a), rank(b), true, true, down)
	case "endpoint":
		return known(endpointText(a), endpointText(b), true, true, down)
	case "attempts":
		return known(a.OK+a.Failed, b.OK+b.Failed, true, true, down)
	case "success":
		return known(successShare(a), successShare(b), a.OK+a.Failed > 0, b.OK+b.Failed > 0, down)
	case "last":
		return known(a.LastAttemptAt.UnixMicro(), b.LastAttemptAt.UnixMicro(), !a.LastAttemptAt.IsZero(), !b.LastAttemptAt.IsZero(), down)
	}
	return 0
}

// known compares two values of which each may be missing.
func known[T cmp.Ordered](a, b T, hasA, hasB, down bool) int {
	switch {
	case !hasA && !hasB:
		return 0
	case !hasA:
		return 1
	case !hasB:
		return -1
	case down:
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}

func endpointText(o *store.Overview) string {
	host, rest := views.SplitURL(o.URL)
	return strings.ToLower(host) + rest
}

func successShare(o *store.Overview) float64 { return float64(o.OK) / float64(o.OK+o.Failed) }

// rank orders the list: trouble first, then whose latest attempts failed, what
// is paused on purpose last.
func rank(o *store.Overview) int {
	const unsettled = "unsettled"
	order := []store.HealthState{
		store.HealthFailing, store.HealthProbing, "", unsettled, store.HealthSlow, store.HealthHeld, store.HealthHealthy, store.HealthNone, store.HealthInactive,
	}
	if o.Health.State == store.HealthInactive && o.Trouble() {
		return slices.Index(order, "")
	}
	if o.Health.Unsettled() {
		return slices.Index(order, unsettled)
	}
	return slices.Index(order, o.Health.State)
}
