package handlers

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

// showTrial shows the form, with what is wrong with it, and the story of the
// test whose answer is asked for; both may be nil.
func (h *Handlers) showTrial(c echo.Context, status int, f trialForm, faults *formFaults, story *deliveryStory) error {
	ctx, p := c.Request().Context(), personOf(c)
	v := views.TrialView{Token: f.Token, To: cmp.Or(f.To, "webhook"), Webhook: f.Webhook, URL: f.URL, Secret: f.Secret, Event: f.Event, Faults: faults.Summary()}
	if faults != nil {
		v.Refusal = faults.Detail
	}
	if !p.Role.CanTest() {
		v.MayNot = "Your role is " + string(p.Role) + ", which reads only. Ask an admin to send one; you see its answer here."
	}
	if err := h.trialChoices(ctx, p.Account.ID, f, &v); err != nil {
		return err
	}
	if err := h.trialsLeft(ctx, p.Account, &v); err != nil {
		return err
	}
	refuseData(&v.Data, faults)
	if v.MayNot == "" {
		if err := h.trialPreview(ctx, p.Account.ID, shownForm(&v), &v); err != nil {
			return err
		}
	}
	v.Preview.Open = story == nil
	if story != nil {
		v.Answer = trialAnswerView(story)
		v.Answer.Again = againView(p.Role, story, v.Full)
	}
	if err := h.earlierTests(ctx, p.Account.ID, story, &v); err != nil {
		return err
	}
	return web.Render(c, status, views.Trial(h.frame(c, views.EntryTest), v))
}

// trialChoices fills in the webhooks, the event types and the data; where none
// is given, that is the sample of the type.
func (h *Handlers) trialChoices(ctx context.Context, account uuid.UUID, f trialForm, v *views.TrialView) error {
	webhooks, err := h.store.Webhooks(ctx, account)
	if err != nil {
		return err
	}
	for _, w := range webhooks {
		label := shortURL(w.URL)
		if !w.Active {
			label += " (inactive)"
		}
		if w.Description != "" {
			label += " · " + w.Description
		}
		v.Webhooks = append(v.Webhooks, views.Option{Value: w.ID.String(), Label: label})
	}
	types, err := h.store.EventTypes(ctx, account)
	if err != nil {
		return err
	}
	v.Event = cmp.Or(f.Event, firstEvent(webhooks, f.Webhook, types))
	var known store.EventType
	for _, t := range types {
		label := t.Name
		if t.Title != "" {
			label += " · " + t.Title
		}
		v.Events = append(v.Events, views.Option{Value: t.Name, Label: label, Group: store.GroupTitle(t.Group)})
		if t.Name == v.Event {
			known = t
		}
	}
	v.Data = checkData(known, cmp.Or(f.Data, sampleOf(known)))
	v.Data.SampleOf = cmp.Or(f.SampleOf, v.Event)
	return nil
}

// firstEvent is the type that a test begins with: one that the webhook takes.
func firstEvent(webhooks []store.Webhook, chosen string, types []store.EventType) string {
	for _, w := range webhooks {
		if chosen != "" && w.ID.String() != chosen {
			continue
		}
		for _, t := range types {
			if len(w.Events) > 0 && store.Matches(w.Events, t.Name) {
				return t.Name
			}
		}
		break
	}
	return "call.ended"
}

func sampleOf(t store.EventType) string {
	if len(t.Sample) == 0 {
		return "{}"
	}
	return views.PrettyJSON(string(t.Sample))
}

func (h *Handlers) trialsLeft(ctx context.Context, account store.Account, v *views.TrialView) error {
	most := account.Limits.TestsPerMinute
	minute := store.DeliveryFilter{Tests: true, From: h.opt.Now().Add(-time.Minute)}
	sent, err := h.store.CountDeliveries(ctx, account.ID, minute, most)
	if err != nil {
		return err
	}
	v.Left = strconv.Itoa(most-sent) + " of " + strconv.Itoa(most) + " tests left this minute."
	if sent < most {
		return nil
	}
	v.Full = "All tests of this minute are sent. Wait a little."
	minute.Limit, minute.Offset = 1, most-1
	first, _, err := h.store.Deliveries(ctx, account.ID, minute)
	if err == nil && len(first) > 0 {
		v.NextAt = first[0].CreatedAt.Add(time.Minute)
	}
	return err
}

// againView is the way to send the test of the story once more; nil where that
// can't be, because the person may not or the webhook is gone.
func againView(role store.Role, s *deliveryStory, full string) *views.AgainView {
	if !role.CanTest() || !s.Status.Finished() || s.WebhookID != uuid.Nil && (s.webhook == nil || !s.webhook.DeletedAt.IsZero()) {
		return nil
	}
	return &views.AgainView{Token: store.NewFormToken(), Full: full}
}

func (h *Handlers) earlierTests(ctx context.Context, account uuid.UUID, story *deliveryStory, v *views.TrialView) error {
	list, _, err := h.store.Deliveries(ctx, account, store.DeliveryFilter{Tests: true, Limit: earlierTests + 1})
	if err != nil {
		return err
	}
	for i := range list {
		d := &list[i]
		if story != nil && story.ID == d.ID || len(v.Earlier) == earlierTests {
			continue
		}
		line := deliveryLine(d)
		state := line.State
		if d.Status.Finished() && (d.LastStatusCode != 0 || d.LastError != "") {
			state = views.AnswerState(line.Answer, d.Status == store.Delivered)
		}
		v.Earlier = append(v.Earlier, views.EarlierTest{
			ID: line.ID, State: state, Event: line.Event, Where: line.URL, Took: line.Took, When: views.Ago(d.CreatedAt.Time),
		})
	}
	return nil
}

// trialAnswerView is what came of a test.
func trialAnswerView(s *deliveryStory) *views.TrialAnswerView {
	v := &views.TrialAnswerView{ID: s.ID.String(), Event: s.EventType, Sent: s.CreatedAt.Time, Limit: s.limits.Timeout, State: views.DeliveryState(s.Status.String(), s.Held)}
	last := s.last()
	if !s.Status.Finished() || last == nil {
		v.Waiting = !s.Status.Finished()
		if why := s.why(); s.Held != "" || last == nil && !v.Waiting {
			v.Held, v.Bold, v.Text = why.Bold+" "+why.Text, why.Bold, why.Text
		}
		return v
	}
	phases := phasesOf(last, s.limits.Timeout)
	v.State, v.Took, v.Phases, v.Curl, v.Node = outcomeState(last), views.Duration(last.Duration), &phases, curlOf(last), last.Node
	v.Inbox = s.URL == store.InboxURL
	v.Refused = last.StatusCode == http.StatusUnauthorized || last.StatusCode == http.StatusForbidden
	if last.StatusCode != 0 {
		v.State.Word = codeWords(last.StatusCode)
		v.Answer = s.answerHeaders(last)
		v.Body = string(last.ResponseBody)
		v.Note = s.answerNote(last)
		v.Late = isLate(last.Duration, s.limits.Timeout)
	}
	if s.Status == store.Delivered {
		who, over := "The endpoint", " over "+protocolWord(last.Protocol)
		if v.Inbox {
			who, over = "The test inbox", ""
		}
		v.Bold, v.Text = "Delivered.", who+" answered within "+views.Duration(s.limits.Timeout)+over+"."
		if v.Late {
			v.Text = who + " took " + v.Took + " of the " + views.Duration(s.limits.Timeout) + " that it has" + over + ". A little slower and it fails: answer 2xx first and do the work afterwards."
		}
		return v
	}
	v.Bold, v.Text = "Not delivered.", sentence(strings.TrimPrefix(happened(last), "failed: "))+" "+s.advice(last)
	if last.StatusCode != 0 {
		v.Text = "The endpoint " + happened(last) + ". " + s.advice(last)
	}
	return v
}

// isLate says that an answer came in the last fifth of the time it has.
func isLate(took, limit time.Duration) bool { return took >= limit*8/10 }
