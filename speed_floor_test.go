package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"belfry/worker/signature"
)

// floorKey signs what the floor's sender posts.
const floorKey = "0123456789abcdef0123456789abcdef"

func floorSecret() string { return "whsec_" + base64.StdEncoding.EncodeToString([]byte(floorKey)) }

// floorPost is one post that is made over and over, with new data, a new id
// and new signatures each time, and memory that is used again: the least that
// deliveries cost a program in Go.
type floorPost struct {
	url             *url.URL
	header          http.Header
	changing        [5]string // header values, in the order of floorChanging
	body, scratch   []byte
	event           string
	shown, standard hash.Hash // keyed: the secret as shown, and as the standard has it
	random          [16]byte
}

// floorChanging names the headers that differ from post to post.
func floorChanging() [5]string {
	return [5]string{"X-Webhook-Delivery", "X-Webhook-Signature", signature.HeaderID, signature.HeaderTimestamp, signature.HeaderSignature}
}

func newFloorPost(to *url.URL, event string) *floorPost {
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"Belfry/" + version()}, "Accept-Encoding": {"identity"}}
	header["X-Webhook-Event"], header["X-Webhook-Attempt"] = []string{event}, []string{"1"}
	p := &floorPost{
		url: to, header: header, event: event,
		shown: hmac.New(sha256.New, []byte(floorSecret())), standard: hmac.New(sha256.New, []byte(floorKey)),
	}
	for i, name := range floorChanging() {
		header[name] = p.changing[i : i+1 : i+1]
	}
	return p
}

// make makes the post of that number.
func (p *floorPost) make(run string, n int) *http.Request {
	now := time.Now()
	b := append(append(append(p.body[:0], `{"event":"`...), p.event...), `","timestamp":"`...)
	b = append(now.UTC().AppendFormat(b, time.RFC3339Nano), `","data":`...)
	b = append(speedData(b, run, n, now), '}')
	sum := p.sign(p.shown, b)
	b = append(append(append(b[:len(b)-1], `,"signature":"`...), sum...), `"}`...)
	p.body = b
	shown := string(p.sign(p.shown, b))
	id, seconds := p.id(), strconv.FormatInt(now.Unix(), 10)
	p.changing = [5]string{id, shown, id, seconds, p.signStandard(id, seconds, b)}
	return &http.Request{
		Method: http.MethodPost, URL: p.url, Host: p.url.Host, Header: p.header,
		Body: io.NopCloser(bytes.NewReader(b)), ContentLength: int64(len(b)),
	}
}

// sign gives the hexadecimal signature, which is good until the next one.
func (p *floorPost) sign(mac hash.Hash, text []byte) []byte {
	mac.Reset()
	mac.Write(text)
	var sum [sha256.Size]byte
	p.scratch = hex.AppendEncode(append(p.scratch[:0], "sha256="...), mac.Sum(sum[:0]))
	return p.scratch
}

func (p *floorPost) signStandard(id, seconds string, body []byte) string {
	p.scratch = append(append(append(append(p.scratch[:0], id...), '.'), seconds...), '.')
	p.standard.Reset()
	p.standard.Write(p.scratch)
	p.standard.Write(body)
	var sum [sha256.Size]byte
	p.scratch = base64.StdEncoding.AppendEncode(append(p.scratch[:0], "v1,"...), p.standard.Sum(sum[:0]))
	return string(p.scratch)
}

// id makes an id of the length that a delivery's has.
func (p *floorPost) id() string {
	_, _ = rand.Read(p.random[:])
	p.scratch = p.scratch[:0]
	for i, b := range p.random {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			p.scratch = append(p.scratch, '-')
		}
		p.scratch = hex.AppendEncode(p.scratch, []byte{b})
	}
	return string(p.scratch)
}

// floor posts what Belfry would post, each request signed as a delivery is,
// and does nothing else.
func (r speedRole) floor() speedDone {
	s := newSpeedSender(r.Connections, http.StatusOK)
	to, err := url.Parse(r.URL)
	if err != nil {
		return speedDone{Refused: int64(r.Requests), Complaint: err.Error()}
	}
	return s.each(r.Connections, r.Requests, func() func(int) {
		post := newFloorPost(to, r.Event)
		return func(n int) { s.send(post.make(r.Run, n)) }
	})
}

func TestTheFloorPostsWhatADeliveryWouldBe(t *testing.T) {
	to, err := url.Parse("http://127.0.0.1/floor")
	if err != nil {
		t.Fatal(err)
	}
	post := newFloorPost(to, batchEvent)
	for n := range 2 { // memory is used again
		req := post.make("run", n)
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Fatal(err)
		}
		received := http.Header{}
		for name, values := range req.Header {
			received[http.CanonicalHeaderKey(name)] = values
		}
		if err := signature.Verify(received, body, floorSecret()); err != nil {
			t.Errorf("post %d does not verify: %v", n, err)
		}
		if got, want := received.Get("X-Webhook-Signature"), signature.Hex(floorSecret(), body); got != want || signature.VerifyBody(body, floorSecret()) != nil {
			t.Errorf("post %d is signed %s in its header, want %s, and in its body", n, got, want)
		}
		if mark, ok := findSpeedMark(body); !ok || mark.n != n {
			t.Errorf("post %d carries the mark %+v", n, mark)
		}
	}
}
