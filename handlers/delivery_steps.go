package handlers

import (
	"net/http"
	"strconv"
	"time"

	"belfry/store"
	"belfry/views"
)

// steps is the delivery's time line: published, each attempt, those to come,
// and how it ends.
func (s *deliveryStory) steps(now time.Time) []views.StepView {
	steps := []views.StepView{{Kind: "done", Icon: "flag", Title: "Published", Lines: []string{clock(s.CreatedAt.Time, now)}}}
	earlier := s.earlier()
	if earlier > 0 {
		steps = append(steps, views.StepView{Kind: "done", Icon: "rotate-ccw", Title: firstAttempts(earlier), Lines: []string{"before it was resent"}})
	}
	before, probings := s.CreatedAt.Time, s.probings
	for i := range s.attempts {
		a := &s.attempts[i]
		for ; len(probings) > 0 && a.StartedAt.After(probings[0].since); probings = probings[1:] {
			if p := probings[0]; !p.since.IsZero() {
				steps = append(steps, probeStep(p, now))
			}
		}
		if a.Number > earlier {
			steps = append(steps, s.attemptStep(a, before, now))
		}
		before = a.StartedAt.Time
	}
	for _, p := range probings {
		steps = append(steps, probeStep(p, now))
	}
	if !s.Status.Finished() {
		steps[len(steps)-1].Lead = true
		steps = append(steps, s.stepsToCome(before, now)...)
	}
	return append(steps, s.lastStep(now))
}

// firstAttempts names the first n attempts.
func firstAttempts(n int) string {
	if n == 1 {
		return "Attempt 1"
	}
	return "Attempts 1–" + strconv.Itoa(n)
}

// earlier is how many attempts were made before the schedule began anew.
func (s *deliveryStory) earlier() int {
	if s.ScheduleStart >= s.Attempts && s.Status.Finished() {
		return 0
	}
	return s.ScheduleStart
}

func (s *deliveryStory) attemptStep(a *store.Attempt, before, now time.Time) views.StepView {
	step := views.StepView{Kind: "bad", Icon: "x", Title: "Attempt " + strconv.Itoa(a.Number), Word: outcomeWord(a.Error, a.StatusCode)}
	if a.Error == "" {
		step.Kind, step.Icon, step.Word = "ok", "check", strconv.Itoa(a.StatusCode)
	}
	step.Lines = []string{clock(a.StartedAt.Time, now), waited(a.StartedAt.Sub(before))}
	if late := s.lateWords(a, before, now); late != "" {
		step.Lines = append(step.Lines, late)
	}
	return step
}

func waited(d time.Duration) string {
	if d < time.Second {
		return "at once"
	}
	return "after " + roughly(d)
}

// roughly is a duration as a schedule has it: the jitter is left out.
func roughly(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return views.Duration(d.Round(time.Minute))
	case d >= time.Second:
		return views.Duration(d.Round(time.Second))
	}
	return views.Duration(d)
}

// anotherDay is how far off a moment is said with its day.
const anotherDay = 20 * time.Hour

// clock is a moment's time of day, with the day where it is another one.
func clock(t, now time.Time) string {
	if d := now.Sub(t).Abs(); d > anotherDay {
		return t.UTC().Format("2 Jan 15:04")
	}
	return views.ClockTime(t)
}

// stepsToCome are the next attempt and those after it.
func (s *deliveryStory) stepsToCome(last, now time.Time) []views.StepView {
	number := s.Attempts + 1
	next := views.StepView{Kind: "next", Icon: "clock", Title: "Attempt " + strconv.Itoa(number), Word: "next"}
	at := now
	switch {
	case s.Status == store.Processing:
		next.Icon, next.Word, next.Lines = "loader", "now", []string{"under way"}
	case s.probed():
		next.Icon, next.Word, next.Lines = "hourglass", "held", s.probeLines(now)
	case s.Held != "":
		next.Icon, next.Word, next.Lines = "hourglass", "held", []string{heldStep(s.Held)}
	case !s.NextAttemptAt.IsZero():
		at = s.NextAttemptAt.Time
		next.Lines = []string{clock(at, now), waited(at.Sub(last))}
	}
	steps := []views.StepView{next}
	for n := number + 1; n <= s.MaxAttempts; n++ {
		wait := s.scheduled(n - 1)
		at = at.Add(wait)
		step := views.StepView{Kind: "later", Number: n, Title: "Attempt " + strconv.Itoa(n), Lines: []string{"about " + clock(at, now), "after " + roughly(wait)}}
		if at.Sub(now) <= anotherDay {
			step.Lines[0] = "about " + at.UTC().Format("15:04")
		}
		switch {
		case s.probed(): // the schedule doesn't count meanwhile
			step.Lines = []string{"when its turn comes"}
		case s.Held != "":
			step.Lines = step.Lines[1:]
		}
		steps = append(steps, step)
	}
	return steps
}

// scheduled is the wait after an attempt, by the schedule.
func (s *deliveryStory) scheduled(attempt int) time.Duration {
	waits := s.limits.Retries
	if len(waits) == 0 {
		return 0
	}
	return waits[min(max(attempt-s.ScheduleStart-1, 0), len(waits)-1)]
}

func heldStep(held string) string {
	switch held {
	case store.HeldInactive:
		return "when reactivated"
	case store.HeldRate:
		return "when the rate allows"
	case store.HeldProbing:
		return "until a probe succeeds"
	}
	return "when a slot is free"
}

func (s *deliveryStory) lastStep(now time.Time) views.StepView {
	end := clock(firstTime(s.FinishedAt, s.DeliveredAt, s.LastAttemptAt, s.CreatedAt), now)
	switch s.Status {
	case store.Delivered:
		return views.StepView{Kind: "ok", Icon: "circle-check", Title: "Delivered", Lines: []string{end}}
	case store.Failed:
		return views.StepView{Kind: "bad", Icon: "circle-x", Title: "Failed", Lines: []string{end, "can be resent"}}
	case store.Dead:
		return views.StepView{Kind: "done", Icon: "ban", Title: "Dead", Lines: []string{end, s.DeadReason()}}
	}
	return views.StepView{Kind: "later", Icon: "x", Title: "Failed", Lines: []string{"if none succeeds"}}
}

// next is the card of the attempt to come, where its time is known.
func (s *deliveryStory) next() *views.NextView {
	if s.probed() {
		return s.nextProbe()
	}
	if s.Status != store.Pending || s.NextAttemptAt.IsZero() {
		return nil
	}
	n := &views.NextView{Title: "Attempt " + strconv.Itoa(s.Attempts+1), When: s.NextAttemptAt.Time}
	left := s.MaxAttempts - s.Attempts - 1
	for i := range min(left, 2) {
		number := s.Attempts + 2 + i
		n.After += map[bool]string{true: "Then, if needed, attempt ", false: ", attempt "}[i == 0] + strconv.Itoa(number) + " after " + roughly(s.scheduled(number-1))
	}
	if left > 2 {
		n.After += ", and so on up to attempt " + strconv.Itoa(s.MaxAttempts)
	}
	if n.After != "" {
		n.After += "."
	}
	return n
}

// attemptView is one attempt beside the others.
func (s *deliveryStory) attemptView(a *store.Attempt, place deliveryPlace, current bool) views.AttemptView {
	v := views.AttemptView{
		Title: "Attempt " + strconv.Itoa(a.Number), Outcome: outcomeState(a), Text: attemptText(a), Phases: phasesOf(a, s.limits.Timeout),
		When: a.StartedAt.Time, Node: a.Node, Href: place.of(a.Number).address(), Current: current,
	}
	return v
}

func outcomeState(a *store.Attempt) views.State {
	if a.Error == "" {
		return views.AnswerState(strconv.Itoa(a.StatusCode), true)
	}
	return views.AnswerState(outcomeWord(a.Error, a.StatusCode), false)
}

func attemptText(a *store.Attempt) string {
	if a.StatusCode == 0 || a.Error != "" && a.Error != "status" && a.Error != "gone" {
		return sentence(a.Detail)
	}
	text := http.StatusText(a.StatusCode)
	if wait := headerOf(a.Response, "Retry-After"); wait != "" {
		text += ", Retry-After: " + wait
	}
	return text
}

// phasesOf parts an attempt's time. What was waited for when it ended without
// an answer is the first byte, once there was a connection.
func phasesOf(a *store.Attempt, limit time.Duration) views.PhasesView {
	v := views.PhasesView{Total: a.Duration, Limit: limit, Reused: a.Phases.Reused}
	known := a.Phases.DNS + a.Phases.Connect + a.Phases.TLS
	v.DNS, v.Connect, v.TLS, v.FirstByte = phaseTime(a.Phases.DNS), phaseTime(a.Phases.Connect), phaseTime(a.Phases.TLS), phaseTime(a.Phases.FirstByte)
	rest := max(a.Duration-known-a.Phases.FirstByte, 0)
	connected := a.Phases.Reused || a.Phases.Connect > 0
	switch {
	case a.StatusCode != 0:
		v.Body = &rest
	case v.FirstByte == nil && connected && (a.Error == "timeout" || a.Error == "reset"):
		v.FirstByte = &rest
	}
	return v
}

func phaseTime(d time.Duration) *time.Duration {
	if d <= 0 {
		return nil
	}
	return &d
}
