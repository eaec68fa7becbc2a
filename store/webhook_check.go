package store

import (
	"context"
	"fmt"
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"belfry/worker/outbound"
)

// MaxHeaders is how many custom headers a webhook may have.
const MaxHeaders = 10

// HeaderValueFault is what is wrong with a header's value; all else that is wrong
// with a header is its name.
const HeaderValueFault = "a header's value has 1 to 4096 characters and no line breaks"

// refusedHeaders are hop-by-hop (RFC 9110, section 7.6.1) or ours to set.
var refusedHeaders = []string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	"Proxy-Authenticate", "Proxy-Authorization", "Host", "User-Agent", "Accept-Encoding", "Expect",
	"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature",
}

// checkHeaders names every custom header that can't be sent.
func checkHeaders(headers []Header, prefix string, bad *faults) {
	if len(headers) > MaxHeaders {
		bad.add("headers", fmt.Sprintf("a webhook has at most %d headers of its own; these are %d", MaxHeaders, len(headers)))
	}
	seen := map[string]bool{}
	for _, h := range headers {
		name := textproto.CanonicalMIMEHeaderKey(h.Name)
		field := "headers." + h.Name
		switch {
		case !httpguts.ValidHeaderFieldName(h.Name) || len(h.Name) > 128:
			bad.add(field, "this is not a header name: letters, digits and - only, 128 at most")
		case slices.Contains(refusedHeaders, name) || strings.HasPrefix(name, "Content-") || ownHeader(name, prefix):
			bad.add(field, "this header is Belfry's or the connection's own; choose another name")
		case seen[name]:
			bad.add(field, "this header is there twice")
		case h.Value == "" || len(h.Value) > 4096 || !httpguts.ValidHeaderFieldValue(h.Value):
			bad.add(field, HeaderValueFault)
		}
		seen[name] = true
	}
}

func ownHeader(name, prefix string) bool {
	for _, p := range []string{"X-Webhook", prefix} {
		for _, own := range []string{"Event", "Delivery", "Attempt", "Signature", "Signature-Next"} {
			if strings.EqualFold(name, p+"-"+own) {
				return true
			}
		}
	}
	return false
}

// CheckURL applies the rules of delivery to an endpoint's URL, as
// outbound.Checker does; a form shows what the verdict holds.
func (s *Store) CheckURL(ctx context.Context, account, url string) (outbound.Verdict, error) {
	return s.checker.CheckURL(ctx, account, url)
}

func (s *Store) checkURL(ctx context.Context, account, url string, bad *faults) (warning string) {
	v, err := s.CheckURL(ctx, account, url)
	if err != nil {
		bad.add("url", err.Error())
	}
	return v.Warning
}
