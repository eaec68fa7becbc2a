package handlers

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"belfry/store"
	"belfry/views"
	"belfry/worker/signature"
)

// why says where the delivery stands: what happened, what comes next, and what
// one can do about it. Of a delivery that is sent again it says first that it
// arrived before.
func (s *deliveryStory) why() views.WhyView {
	w := s.whyNow()
	if a := s.arrived(); a != nil {
		w.Text = strings.TrimSpace(s.arrivedWords(a) + " " + w.Text)
	}
	return w
}

func (s *deliveryStory) whyNow() views.WhyView {
	switch s.Status {
	case store.Pending:
		if s.Held != "" {
			return s.whyHeld()
		}
		return s.whyPending()
	case store.Processing:
		return s.whyProcessing()
	case store.Delivered:
		return s.whyDelivered()
	case store.Failed:
		return s.whyFailed()
	}
	return s.whyDead()
}

func (s *deliveryStory) whyProcessing() views.WhyView {
	w := views.WhyView{
		Question: "What happens now?", Bold: "Attempt " + strconv.Itoa(s.Attempts+1) + " of " + strconv.Itoa(s.MaxAttempts) + " is under way.",
		Text: "The endpoint has " + views.Duration(s.limits.Timeout) + " for the whole exchange. This page shows the answer as it comes.",
	}
	if since := s.probe.Since; !since.IsZero() {
		w.Text += " The endpoint has been probed since " + clock(since.Time, s.now) + ": one success ends that, and all that waits follows."
	}
	return w
}

func (s *deliveryStory) last() *store.Attempt {
	if len(s.attempts) == 0 {
		return nil
	}
	return &s.attempts[len(s.attempts)-1]
}

func (s *deliveryStory) whyPending() views.WhyView {
	w := views.WhyView{Question: "Why is it pending?", Label: "Next attempt", At: s.NextAttemptAt.Time}
	last := s.last()
	switch {
	case last == nil:
		w.Bold, w.Text = "It was accepted and has not been sent yet.", "It goes out as soon as a sender is free."
	case s.ScheduleStart > 0 && s.Attempts == s.ScheduleStart:
		w.Bold = "It was resent, and attempt " + strconv.Itoa(s.Attempts+1) + " is next."
		if a := s.arrived(); a != nil {
			w.Bold = "It was delivered by attempt " + strconv.Itoa(a.Number) + ", and is sent again: attempt " + strconv.Itoa(s.Attempts+1) + " is next."
		}
		w.Text = "The schedule of retries begins anew."
	default:
		w.Bold = "Attempt " + strconv.Itoa(last.Number) + " of " + strconv.Itoa(s.MaxAttempts) + " " + happened(last) + patience(last) + "."
		w.Text = s.endpointWords()
	}
	if !s.Test {
		w.Text += " If attempt " + strconv.Itoa(s.MaxAttempts) + " fails too, this delivery is marked failed and can still be resent."
	}
	w.Text = strings.TrimSpace(w.Text)
	return w
}

// happened is what an attempt came to, as the rest of a sentence.
func happened(a *store.Attempt) string {
	if a.StatusCode != 0 && (a.Error == "" || a.Error == "status" || a.Error == "gone" || a.Error == "redirect") {
		return "answered " + codeWords(a.StatusCode)
	}
	if a.Detail == "" {
		return "failed: " + a.Error
	}
	return "failed: " + strings.TrimSuffix(a.Detail, ".")
}

func codeWords(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

// patience is the wait that the endpoint asked for, as the end of a sentence.
func patience(a *store.Attempt) string {
	if wait := askedWait(a); wait > 0 {
		return ", and asked for " + views.Duration(wait) + " of patience"
	}
	return ""
}

// askedWait is the wait of a Retry-After header on 429 and 503; 0: none.
func askedWait(a *store.Attempt) time.Duration {
	if a.StatusCode != http.StatusTooManyRequests && a.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	value := strings.TrimSpace(headerOf(a.Response, "Retry-After"))
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(seconds, 0), 24*60*60)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(a.StartedAt.Add(a.Duration)), 0), 24*time.Hour).Round(time.Second)
	}
	return 0
}

// endpointWords says how the endpoint does with other deliveries.
func (s *deliveryStory) endpointWords() string {
	if s.webhook == nil {
		return ""
	}
	health := s.webhook.Health
	switch health.State {
	case store.HealthFailing:
		text := "The endpoint is failing: " + views.Count(int(health.Failed)) + " of its " + views.Count(int(health.Attempts)) + " attempts of the last hour"
		if !health.Since.IsZero() {
			text += ", since " + health.Since.UTC().Format("15:04") + " UTC"
		}
		return text + "."
	case store.HealthSlow:
		return "The endpoint is slow: 5 % of its answers take longer than " + views.Duration(health.P95) + "."
	}
	if well := health.Attempts - health.Failed; well > 0 {
		return "Otherwise the endpoint answers: " + views.Count(int(well)) + " of its " + views.Count(int(health.Attempts)) + " attempts of the last hour succeeded."
	}
	return ""
}

func (s *deliveryStory) whyHeld() views.WhyView {
	w := views.WhyView{Question: "Why is it held?", Label: "Goes on", At: s.HeldUntil.Time}
	switch s.Held {
	case store.HeldInactive:
		return s.whyInactive(w)
	case store.HeldRate:
		w.Bold = "It waits for its turn in the account's outgoing rate."
		w.At = time.Time{} // the next token goes to the oldest that waits
		w.Text = "It goes out as the rate of " + views.Count(s.limits.RatePerMinute) + " a minute allows: " + rateWords(s.limits) + ", oldest first. Nothing fails and no attempt is used."
		w.Do = views.Link{Label: "See limits", Href: "/setup/webhooks/limits"}
	case store.HeldProbing:
		return s.whyProbed(w)
	default:
		w.Bold = "All " + strconv.Itoa(s.limits.InFlight) + " places for requests to its endpoint are taken."
		w.Text = "It goes as soon as one of them is answered. Other webhooks are not slowed down."
	}
	return w
}

func (s *deliveryStory) whyInactive(w views.WhyView) views.WhyView {
	w.Bold = "Its webhook is inactive."
	if s.webhook != nil {
		w.Bold = inactiveWords(&s.webhook.Webhook)
		if until := s.webhook.ActiveSince.Add(s.limits.HeldFor); !s.webhook.ActiveSince.IsZero() {
			w.Text = " Held until " + until.UTC().Format("2 Jan 2006") + " it becomes dead, and can be resent."
		}
	}
	w.Text = "It goes when the webhook is reactivated, oldest first, at half the account's rate." + w.Text
	w.Do = views.Link{Label: "Open the webhook", Href: views.WebhookAddress(s.WebhookID)}
	return w
}

// inactiveWords says who or what deactivated a webhook.
func inactiveWords(w *store.Webhook) string {
	switch {
	case w.DisabledReason == store.ReasonFailing:
		return "Belfry deactivated its webhook after 3 days without a success."
	case w.DisabledReason == store.ReasonGone:
		return "Belfry deactivated its webhook because the endpoint answered 410 Gone."
	case w.ChangedBy != "":
		return "Its webhook was paused by " + w.ChangedBy + "."
	}
	return "Its webhook is paused."
}

func (s *deliveryStory) whyDelivered() views.WhyView {
	w := views.WhyView{Question: "What happened?", Bold: "It was delivered."}
	if last := s.last(); last != nil {
		w.Bold = "Attempt " + strconv.Itoa(last.Number) + " answered " + codeWords(last.StatusCode) + " in " + views.Duration(last.Duration) + "."
	}
	w.Text = "The endpoint has it, and nothing more happens by itself."
	if s.Attempts > 1 && s.arrived() == nil {
		w.Text = "It took " + strconv.Itoa(s.Attempts) + " attempts. " + w.Text
	}
	if s.Test {
		w.Text = "This was a test: it counts for nothing but the rate."
	}
	return w
}

func (s *deliveryStory) whyFailed() views.WhyView {
	w := views.WhyView{Question: "Why did it fail?", Bold: "All attempts are used."}
	last := s.last()
	switch {
	case s.Test && last != nil:
		w.Bold = "The one attempt of this test " + happened(last) + "."
		w.Text = "A test is not repeated. " + s.advice(last)
		w.Do = views.Link{Label: "Send another test", Href: withTest(s.Delivery)}
		return w
	case last != nil:
		w.Bold = "All " + strconv.Itoa(s.Attempts) + " attempts are used; the last one " + happened(last) + "."
		w.Text = s.advice(last) + " "
	}
	w.Text += "Resend it when the endpoint is well again: it gets " + s.moreAttempts() + "."
	return w
}

func (s *deliveryStory) whyDead() views.WhyView {
	w := views.WhyView{Question: "Why is it dead?"}
	switch s.DeadReason() {
	case "deleted":
		w.Bold, w.Text = s.deletedWords(), "There is nowhere to send it any more. Its event is kept, and another webhook may have got it."
	case store.ReasonGone:
		w.Bold, w.Text = "The endpoint answered 410 Gone: it wants nothing more.", "The webhook was deactivated. If that was a mistake, reactivate the webhook and resend this delivery: it gets "+s.moreAttempts()+"."
		if s.Test {
			w.Text = "This was a test, so the webhook stays as it is."
		}
	default:
		w.Bold = "It was held for " + views.Duration(s.limits.HeldFor) + ", longer than Belfry keeps what can't be sent."
		w.Text = "Reactivate the webhook, then resend this delivery if it still matters: it gets " + s.moreAttempts() + "."
	}
	return w
}

// advice says what to do about the failure of an attempt.
func (s *deliveryStory) advice(a *store.Attempt) string {
	if words := testAdvice(a); s.Test && words != "" {
		return words
	}
	signed := headerOf(a.Request, signature.HeaderSignature) != ""
	w := store.Webhook{HasSecret: signed} // of a test to a free URL, or one that retention removed
	if s.webhook != nil {
		w = s.webhook.Webhook
	}
	k := views.FailureKind{
		KindCount:   store.KindCount{Kind: a.Error, Code: a.StatusCode},
		LastFailure: store.LastFailure{Detail: a.Detail, MovedTo: headerOf(a.Response, "Location")},
	}
	return k.Advice(w, s.limits.Timeout, s.now)
}

// testAdvice is what to do about a failure that means something else for a test,
// which is sent once; empty: it means the same.
func testAdvice(a *store.Attempt) string {
	asked := ". Send the test again yourself, a little later."
	if wait := askedWait(a); wait > 0 {
		asked = ", and asks to wait " + views.Duration(wait) + ". Deliveries of real events wait that long; a test you send again yourself."
	}
	switch {
	case a.Error == store.ReasonGone:
		return "A webhook is deactivated by that; a test changes nothing."
	case a.StatusCode == http.StatusTooManyRequests:
		return "It wants a slower pace" + asked
	case a.StatusCode == http.StatusServiceUnavailable:
		return "It says that it is overloaded or down for maintenance" + asked
	}
	return ""
}

// headerOf is the value of the first header of that name; empty: there is none.
func headerOf(headers []store.Header, name string) string {
	for _, h := range headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}
