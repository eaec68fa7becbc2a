package store

import (
	"strings"
	"time"

	"belfry/worker/outbound"
	"belfry/worker/signature"
)

// Request is the request of the job's attempt at that moment, signed, and the
// signature that its body carries; empty: it is not signed. The error is
// signature.ErrSecretEncoding.
func (j *Job) Request(at time.Time) (req outbound.Request, sum string, err error) {
	e := j.Endpoint
	secret, next := e.Secrets(at)
	body, sum := signature.Body(j.Event, j.OccurredAt.UTC().Format(time.RFC3339Nano), j.Data, secret)
	headers, err := signature.Headers(signature.Attempt{
		Prefix: e.HeaderPrefix, ID: j.DeliveryID.String(), Number: j.Attempt, At: at, Event: j.Event,
		Body: body, Secret: secret, Next: next,
	})
	return outbound.Request{URL: e.URL, Header: append(headers, e.Headers...), Body: body}, sum, err
}

// MaskHeaders hides the values of the endpoint's custom headers but for their
// last characters. It changes list, which is the caller's own.
func (e *Endpoint) MaskHeaders(list []Header) []Header {
	for i := range list {
		for _, custom := range e.Headers {
			if strings.EqualFold(list[i].Name, custom.Name) {
				list[i].Value = Mask(list[i].Value)
			}
		}
	}
	return list
}
